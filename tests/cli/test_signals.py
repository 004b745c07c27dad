"""Whoever asks us to end, and when: exit 130, one valid document, nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import GPUDOCTOR, Lab

TAG = "GPUDOCTOR_TEST_TAG"


def _left_behind(tag: str) -> list[str]:
    """Processes that got the tag in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{TAG}={tag}".encode() in entry.read_bytes():
                found.append((entry.parent / "cmdline").read_text())
    return found


def _wait_until_gone(tag: str) -> list[str]:
    for _ in range(100):
        left = _left_behind(tag)
        if not left:
            return []
        time.sleep(0.05)
    return left


@pytest.fixture
def hanging(lab: Lab, request: pytest.FixtureRequest) -> dict[str, str]:
    """A machine on which a check takes its whole time, and the tag of what it starts."""
    faults = "nvmlDeviceGetName=hang;nvidia-smi=hang;cuInit=hang;dmesg=hang"
    return lab.env("rtx4090x2", faults=faults, CUDA_VISIBLE_DEVICES="1", **{TAG: request.node.name})


def _start(env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(GPUDOCTOR), "check", "--quick", "--format", "json"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _wait_for_children(pid: int) -> None:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while not children.read_text():
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_probing_is_130_with_one_document(hanging: dict[str, str], number: signal.Signals) -> None:
    process = _start(hanging)
    _wait_for_children(process.pid)
    process.send_signal(number)
    process.send_signal(number)  # as from an impatient hand, or from a terminal and a supervisor at once
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["error"]["exit_code"] == 130
    assert err == b"gpudoctor: interrupted\n"
    assert _wait_until_gone(hanging[TAG]) == []


def test_a_signal_while_the_report_is_written_does_not_cut_it(lab: Lab) -> None:
    """The report is larger than a pipe, so the writer waits for us in the middle of it."""
    process = _start(lab.env("h100x8-nvswitch"))
    assert process.stdout is not None
    first = process.stdout.read(1)
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert json.loads(first + rest)["status"] == "ok"
    assert process.wait(timeout=30) == 0
    process.communicate()


def test_what_the_caller_ignores_stays_ignored(lab: Lab) -> None:
    script = f"trap '' HUP; exec {GPUDOCTOR} check --quick"
    process = subprocess.Popen(
        ["bash", "-c", script],
        env=lab.env("rtx4090x2", faults="nvmlDeviceGetName=sleep:1"),
        stdout=subprocess.DEVNULL,
    )
    _wait_for_children(process.pid)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=60) == 0


def test_after_sigkill_no_child_stays(hanging: dict[str, str]) -> None:
    process = _start(hanging)
    _wait_for_children(process.pid)
    process.kill()
    process.communicate()
    assert _wait_until_gone(hanging[TAG]) == []


def _python_died(status: int, number: signal.Signals, out: bytes, err: bytes) -> bool:
    """Whether Python itself ended, before there was anything of ours.

    It has three deaths of its own for SIGINT: of the signal, of a KeyboardInterrupt in site, and (4 of 11,000 shots
    at its first 20 ms, Python 3.11) of a fatal error while it makes its standard streams.
    """
    if out:
        return False
    in_its_start = err.startswith(b"Fatal Python error: init_") and b"runtime state: core initialized" in err
    return status == -number or b"KeyboardInterrupt" in err or in_its_start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_first_moments_ends_us_without_a_crash(lab: Lab, number: signal.Signals) -> None:
    """As long as Python itself starts, it ends us; from then on there is a document. Never half of one, never a crash.

    A signal that Python drops (it came while an import was being finished) does no harm either: the check goes on.
    """
    env = lab.env("rtx4090x2")
    for step in range(48):
        process = _start(env)
        time.sleep(0.012 + step * 0.001)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        if not _python_died(process.returncode, number, out, err):
            assert process.returncode in (0, 130), err.decode()
            assert json.loads(out)["schema"] == "gpudoctor.report/1"
