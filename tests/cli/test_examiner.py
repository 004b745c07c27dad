"""The process that examines: when it is started, what it brings, and that it never outlives us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gpudoctor.cli.examine.examiner import Examiner, examine, is_wanted
from gpudoctor.cli.examine.order import Order
from gpudoctor.errors import GpudoctorError
from gpudoctor.host.probe import Request
from tests.cli.conftest import gpudoctor

ORDER = Order(Request(quick=True), timeout_s=30.0, quiet=True)


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize(
    "line", ["check", "check --quick", "snapshot -o x", "check -- vllm serve --help", "check --tp 2"]
)
def test_started_for_a_command_line_that_examines(line: str) -> None:
    assert is_wanted(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "explain check",
        "--help",
        "check --help",
        "snapshot -h",
        "check --snapshot f",
        "check --snapshot=f",
        "-- check",
    ],
)
def test_not_started_for_another(line: str) -> None:
    assert not is_wanted(line.split())


def test_facts_and_ends_come_back_and_the_process_is_gone() -> None:
    before = children()
    with Examiner() as examiner:
        assert children() != before
        found = examiner.examine(ORDER)
    assert found.facts.machine.kernel.value == os.uname().release
    assert {result.name for result in found.probes} >= {"machine", "nvml", "torch"}
    assert children() == before


def test_what_is_done_meanwhile_is_done_and_may_fail() -> None:
    done: list[int] = []
    examine(None, ORDER, lambda: done.append(1))
    assert done == [1]
    before = children()
    with pytest.raises(ZeroDivisionError):
        examine(None, ORDER, lambda: done.append(1 // 0))
    assert children() == before


def test_without_an_order_it_just_ends() -> None:
    before = children()
    with Examiner():
        pass
    assert children() == before


def test_its_death_is_an_error_and_no_hang() -> None:
    before = children()
    with Examiner() as examiner:
        (born,) = children() - before
        os.kill(int(born), signal.SIGKILL)
        with pytest.raises(GpudoctorError, match="ended without an answer"):
            examiner.examine(ORDER)
    assert children() == before


def test_a_wrong_option_after_the_start_is_still_exit_2() -> None:
    assert gpudoctor("check", "--tp", "many").code == 2


def test_whoever_ignores_the_end_of_children_gets_a_diagnosis() -> None:
    line = [sys.executable, "-m", "gpudoctor", "check", "--quick", "--format", "json", "--fail-on", "never"]
    done = subprocess.run(
        line,
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    assert done.returncode in (0, 3), done.stderr
    assert b"No child processes" not in done.stdout + done.stderr
    assert all(probe["status"] in ("ok", "skipped") for probe in json.loads(done.stdout)["probes"])


def test_a_path_of_bytes_that_are_no_text_is_a_usage_error() -> None:
    done = subprocess.run(
        [os.fsencode(sys.executable), b"-m", b"gpudoctor", b"check", b"--quick", b"--python", b"/x\xff"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr


@pytest.mark.parametrize("files", [5, 6, 7])
def test_few_files_are_no_findings(files: int) -> None:
    """Exit 1 would say that the machine was looked at."""
    code = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}));"
        "sys.argv[1:] = ['check', '--quick', '--format', 'json'];"
        "from gpudoctor.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    assert b"Traceback" not in done.stderr
