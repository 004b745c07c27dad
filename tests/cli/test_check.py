"""`gpudoctor check`: live and offline are one path, every way out has its code and its document."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import GPUDOCTOR, Lab, gpudoctor

VLLM_70B = ("--", "vllm", "serve", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size", "4")


def test_the_tp_size_leads_and_the_fix_would_run(lab: Lab) -> None:
    ran = lab.check("rtx4090x2", "--tp", "4", *VLLM_70B)
    assert ran.code == 1
    first = ran.report["findings"][0]
    assert (first["cause"], first["rank"]) == ("tp_exceeds_gpus", 1)
    command = first["fixes"][0]["command"]
    assert command.startswith("vllm serve meta-llama/Llama-3.1-70B-Instruct --tensor-parallel-size 2")
    assert "--quantization bitsandbytes" in command  # 131 GiB of BF16 weights do not fit two 24 GB cards


def test_the_fix_of_the_first_finding_is_accepted_by_a_second_check(lab: Lab) -> None:
    """The printed command, checked in turn, no longer has the fault."""
    fix = lab.check("rtx4090x2", *VLLM_70B).report["findings"][0]["fixes"][0]["command"]
    again = lab.check("rtx4090x2", "--", fix)
    assert [f["cause"] for f in again.report["findings"] if f["severity"] == "error"] == []


def test_the_best_pair_is_named(lab: Lab) -> None:
    finding = lab.check("rtx3090x4-two-nvlink-pairs", "--tp", "2").report["findings"][0]
    assert finding["id"] == "better-group"
    assert finding["fixes"][0]["env"] == {"CUDA_VISIBLE_DEVICES": "0,2"}


@pytest.mark.parametrize("machine", ["h100x8-nvswitch", "rtx4090x4-p2p-patched-acs", "wsl2", "no-gpu", "l40sx4-docker"])
def test_a_snapshot_gives_the_findings_of_the_live_machine(lab: Lab, machine: str, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    written = gpudoctor("snapshot", "--quick", "-o", str(file), env=lab.env(machine))
    assert written.code == 0, written.err
    live = lab.check(machine, "--tp", "2").report
    offline = gpudoctor("check", "--snapshot", str(file), "--tp", "2", "--format", "json").report
    for key in ("findings", "not_evaluated", "status", "host", "workload", "summary"):
        assert json.dumps(offline[key]) == json.dumps(live[key]), key


def test_the_text_of_a_snapshot_is_the_same_each_time(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor("snapshot", "--quick", "-o", str(file), env=lab.env("rtx4090x2"))
    runs = {gpudoctor("check", "--snapshot", str(file), "--tp", "4").out for _ in range(3)}
    assert len(runs) == 1


def test_a_snapshot_holds_no_uuid_of_the_machine(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor(
        "snapshot",
        "--quick",
        "-o",
        str(file),
        env=lab.env("rtx4090x2", MASTER_ADDR="10.9.8.7", HF_TOKEN="hf_abcdefgh1"),
    )
    uuid = lab.check("rtx4090x2").report["facts"]["nvml"]["devices"]["value"][0]["uuid"]["value"]
    text = file.read_text()
    assert uuid not in text
    assert "10.9.8.7" not in text
    assert "hf_abcdefgh1" not in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["check", "--nonsense"], 2),
        (["check", "--tp", "zero"], 2),
        (["check", "--tp", "0"], 2),
        (["check", "--fail-on", "sometimes"], 2),
        (["check", "--snapshot", "/nonexistent"], 2),
        (["check", "--snapshot", "/dev/null"], 2),
        (["check", "--rules", "/nonexistent"], 2),
        (["check", "--only", "no-such-rule", "--quick"], 2),
        (["check", "--quick", "--", "vllm serve 'unclosed"], 2),
        (["check", "--quick", "--", "vllm", "serve", "x", "--tensor-parallel-size", "four"], 2),
        (["check", "--quick", "-o", "/nonexistent/file"], 2),
        (["nonsense"], 2),
    ],
)
def test_a_wrong_command_line_is_2_with_a_valid_document(arguments: list[str], code: int) -> None:
    ran = gpudoctor(arguments[0], "--format", "json", *arguments[1:])
    assert (ran.code, ran.report["status"]) == (code, "unknown")
    assert ran.report["error"]["exit_code"] == code
    assert ran.err.startswith("gpudoctor: ")


def test_the_place_of_a_bad_launch_command_is_shown() -> None:
    ran = gpudoctor("check", "--quick", "--", "vllm", "serve", "x", "--tensor-parallel-size", "four")
    assert ran.code == 2
    assert "four" in ran.err


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", "{", '{"schema": "gpudoctor.snapshot/9"}', "[" * 100_000, '{"facts": ' * 5000, "\x00\xff"],
)
def test_a_hostile_snapshot_is_refused_with_its_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.json"
    file.write_bytes(content.encode("latin-1"))
    ran = gpudoctor("check", "--snapshot", str(file))
    assert ran.code == 2
    assert "hostile.json" in ran.err


def test_a_snapshot_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as stream:
        stream.truncate(5 << 30)
    ran = gpudoctor("check", "--snapshot", str(file))
    assert (ran.code, "larger than" in ran.err) == (2, True)


def test_escape_sequences_in_a_snapshot_do_not_reach_the_terminal(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor("snapshot", "--quick", "--no-redact", "-o", str(file), env=lab.env("rtx4090x2"))
    evil = "\\u001b]0;owned\\u0007\\u001b[31m[bold]NVIDIA\\u202e"
    file.write_text(file.read_text().replace("NVIDIA GeForce RTX 4090", evil))
    for format_name in ("text", "markdown", "html", "github", "junit"):
        out = gpudoctor("check", "--snapshot", str(file), "--tp", "2", "--format", format_name, "--verbose").out
        assert "\x1b" not in out
        assert "\x07" not in out
        assert "\u202e" not in out


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("never", 0)])
def test_fail_on_decides_the_exit_code(lab: Lab, fail_on: str, code: int) -> None:
    assert lab.check("rtx4090x2", "--tp", "4", "--fail-on", fail_on).code == code


def test_a_warning_alone_is_0_unless_warnings_fail(lab: Lab) -> None:
    assert lab.check("rtx3090x4-two-nvlink-pairs", "--tp", "2").code == 0
    assert lab.check("rtx3090x4-two-nvlink-pairs", "--tp", "2", "--fail-on", "warning").code == 1


def test_a_closed_pipe_is_no_error(lab: Lab) -> None:
    # A reader that is gone before anything is written: the pipe is surely closed by then.
    script = f"set -o pipefail; {GPUDOCTOR} check --quick -v --fail-on never | true"
    done = subprocess.run(
        ["bash", "-c", script], env=lab.env("h100x8-nvswitch"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_is_130_and_leaves_no_child(lab: Lab) -> None:
    env = lab.env("rtx4090x2", faults="nvmlDeviceGetName=hang;nvidia-smi=hang")
    process = subprocess.Popen(
        [str(GPUDOCTOR), "check", "--quick", "--format", "json"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["error"]["exit_code"] == 130
    listing = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    assert str(process.pid) not in {line.split()[0] for line in listing.splitlines()[1:]}


def test_progress_is_shown_on_a_terminal_only(lab: Lab) -> None:
    env = lab.env("rtx4090x2", faults="nvmlDeviceGetName=sleep:1.5")
    piped = gpudoctor("check", "--quick", env=env)
    assert piped.err == ""
    reader, writer = pty.openpty()
    process = subprocess.Popen([str(GPUDOCTOR), "check", "--quick"], env=env, stdout=subprocess.DEVNULL, stderr=writer)
    os.close(writer)
    process.wait(timeout=60)
    shown = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert "nvml" in shown


def test_it_works_with_a_read_only_home_and_no_environment_at_all() -> None:
    ran = gpudoctor("check", "--quick", "--format", "json", env={"HOME": "/proc/nonexistent"})
    assert ran.report["probes"]
    assert ran.code in (0, 1)
