"""`gpudoctor run`: the command behaves as without us; its crash or hang is diagnosed."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import GPUDOCTOR, Lab, Ran, gpudoctor
from tests.smoke.runs import needs_torch, python_with_torch

PROGRAM = Path(__file__).with_name("gloo_program.py")


def sh(script: str, *options: str) -> Ran:
    return gpudoctor("run", *options, "--", "sh", "-c", script)


def test_streams_and_status_pass_through() -> None:
    ran = sh("echo out; echo err >&2; exit 0")
    assert (ran.code, ran.out, ran.err) == (0, "out\n", "err\n")


@pytest.mark.parametrize("status", [1, 3, 77, 130, 255])
def test_the_exit_status_is_the_commands(status: int, tmp_path: Path) -> None:
    ran = sh(f"exit {status}", "-o", str(tmp_path / "report.txt"))
    assert ran.code == status
    assert f"ended with exit code {status}" in (tmp_path / "report.txt").read_text()


def test_a_signal_that_kills_it_is_told_as_shells_do(tmp_path: Path) -> None:
    ran = sh("kill -SEGV $$", "-o", str(tmp_path / "report.json"), "--format", "json")
    assert ran.code == 128 + signal.SIGSEGV
    notes = json.loads((tmp_path / "report.json").read_text())["notes"]
    assert "gpudoctor run: the command was killed by signal 11 (SIGSEGV)" in notes


def test_a_program_that_is_not_there_is_127() -> None:
    ran = gpudoctor("run", "--", "no-such-program-at-all")
    assert (ran.code, ran.out) == (127, "")
    assert "command not found" in ran.err


def test_no_command_is_a_usage_error() -> None:
    assert gpudoctor("run").code == 2


def test_standard_input_is_the_commands() -> None:
    assert gpudoctor("run", "--", "cat", stdin="from us\n").out == "from us\n"


def test_every_byte_passes_and_goes_into_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = subprocess.run(
        [str(GPUDOCTOR), "run", "--log", str(log), "--", "head", "-c", "40000000", "/dev/urandom"],
        capture_output=True,
        check=True,
    )
    assert len(done.stdout) == 40_000_000
    assert log.read_bytes() == done.stdout


def test_a_reader_that_reads_no_more_ends_the_command() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{GPUDOCTOR} run -- yes | head -n 1; exit ${{PIPESTATUS[0]}}"], capture_output=True, check=False
    )
    assert (done.stdout, done.returncode) == (b"y\n", 128 + signal.SIGPIPE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_pass_through(number: signal.Signals) -> None:
    script = f"trap 'echo got it; exit 9' {number.value}; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [str(GPUDOCTOR), "run", "--", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (b"got it\n", 9)


def test_what_the_command_leaves_in_the_background_is_not_waited_for() -> None:
    started = time.monotonic()
    assert sh("sleep 30 & echo done").out == "done\n"
    assert time.monotonic() - started < 20


def test_in_a_terminal_the_command_sees_a_terminal() -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [str(GPUDOCTOR), "run", "--", "sh", "-c", "test -t 1 && echo yes || echo no"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    assert process.wait(timeout=60) == 0
    assert os.read(leader, 100).strip() == b"yes"
    os.close(leader)


def test_a_crash_is_diagnosed_from_what_the_command_said(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    text = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update"
    ran = sh(f"echo '{text}' >&2; exit 1", "--format", "json", "-o", str(report))
    assert ran.code == 1
    first = json.loads(report.read_text())["findings"][0]
    assert first["cause"] == "driver_too_old"
    assert first["evidence"][0]["file"] == "output"


def test_silence_is_a_hang_and_the_command_may_go_on(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    ran = sh("echo begin; sleep 5; echo end", "--hang-after", "1.5", "--format", "json", "-o", str(report))
    assert (ran.code, ran.out) == (0, "begin\nend\n")
    loaded = json.loads(report.read_text())
    assert loaded["facts"]["log"]["hang"]["value"] is True
    assert any("no output for" in note for note in loaded["notes"])


def test_who_reads_does_not_hang(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    ran = gpudoctor("run", "--hang-after", "3", "-o", str(report), "--", sys.executable, "-c", _READER)
    assert ran.code == 0
    assert not report.exists()


_READER = """
import time
for _ in range(16):
    with open('/dev/zero', 'rb') as stream:
        stream.read(40_000_000)
    time.sleep(0.3)
"""


def _gloo(how: str, tmp_path: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    report = tmp_path / "report.json"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python = python_with_torch() or sys.executable
    ran = gpudoctor(
        "run", *options, "--format", "json", "-o", str(report), "--", python, str(PROGRAM), how,
        env={**os.environ, "TEST_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"},
    )  # fmt: skip
    return ran.code, json.loads(report.read_text()) if report.exists() else {}, ran.out


@needs_torch
def test_two_ranks_that_end_well_leave_no_report(tmp_path: Path) -> None:
    code, report, out = _gloo("well", tmp_path)
    assert (code, report) == (0, {})
    # torchrun writes for both; two lines can come out as one.
    assert sorted(re.findall(r"\[rank\d\]: done", out)) == ["[rank0]: done", "[rank1]: done"]


@needs_torch
def test_a_rank_that_is_killed_is_named(tmp_path: Path) -> None:
    code, report, _ = _gloo("die", tmp_path)
    assert code == 1
    text = json.dumps(report)
    assert "exitcode: -9" in text
    assert report["findings"]


@needs_torch
def test_the_rank_that_failed_leads_not_the_one_that_lost_it(tmp_path: Path) -> None:
    code, report, _ = _gloo("raise", tmp_path)
    assert code == 1
    causes = [finding["cause"] for finding in report["findings"] if any("text" in e for e in finding["evidence"])]
    assert causes[0] in ("tp_exceeds_gpus", "cuda_visible_devices")


@needs_torch
def test_a_rank_that_hangs_is_noticed_and_the_run_is_ended_where_wanted(tmp_path: Path) -> None:
    code, report, out = _gloo("hang", tmp_path, "--hang-after", "12", "--on-hang", "kill")
    assert "step 1" in out
    assert code != 0
    assert report["facts"]["log"]["hang"]["value"] is True
    assert any("the command hangs here" in note for note in report["notes"])


def test_a_failure_that_nobody_can_explain_is_no_clean_bill(lab: Lab, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--format", "json", "-o", str(report), "--"]
    ran = gpudoctor("run", *options, "sh", "-c", "echo boom; exit 3", env=lab.env("rtx4090x2"))
    assert ran.code == 3
    found = json.loads(report.read_text())
    assert found["status"] == "unknown"
    assert {finding["severity"] for finding in found["findings"]} == {"info"}
    assert "no rule knows why" in found["error"]["message"]


def test_a_preflight_reports_where_the_report_was_to_go(lab: Lab, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = ["sh", "-c", "echo started", "vllm", "serve"]
    options = ["--preflight", "--format", "json", "-o", str(report), "--"]
    fine = gpudoctor("run", *options, *command, env=lab.env("rtx4090x2"))
    assert (fine.code, fine.out, report.exists()) == (0, "started\n", False)
    broken = gpudoctor("run", *options, "vllm", "serve", "Qwen/Qwen3-8B", "-tp", "4", env=lab.env("rtx4090x2"))
    assert (broken.code, broken.out) == (1, "")
    assert json.loads(report.read_text())["findings"][0]["cause"] == "tp_exceeds_gpus"
    assert "not started, because of the errors in" in broken.err
