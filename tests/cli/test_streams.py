"""Standard streams that are closed, full, or cannot show a character: a code of the contract, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

from tests.cli.conftest import GPUDOCTOR, Lab, Ran


def _shell(lab: Lab, script: str, **variables: str) -> Ran:
    done = subprocess.run(
        ["bash", "-c", script.replace("gpudoctor", str(GPUDOCTOR), 1)],
        env=lab.env("rtx4090x2", **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("verb", "code"), [("check --quick", 0), ("check --quick --tp 4", 1), ("check --tp 0", 2)])
def test_closed_streams_change_no_exit_code(lab: Lab, verb: str, code: int, closed: str) -> None:
    ran = _shell(lab, f"gpudoctor {verb} {closed}")
    assert ran.code == code
    assert "Traceback" not in ran.err


def test_with_stderr_closed_the_report_is_whole(lab: Lab) -> None:
    assert json.loads(_shell(lab, "gpudoctor check --quick --format json 2>&-").out)["status"] == "ok"


@pytest.mark.parametrize(
    "verb",
    [
        "check --quick",
        "check --quick --format json",
        "check --quick --tp 4",
        "snapshot --quick -o -",
        "--version",
        "--help",
        "check --help",
        "explain no_gpu",
        "rules list",
    ],
)
def test_a_full_disk_is_3_and_is_named(lab: Lab, verb: str) -> None:
    ran = _shell(lab, f"gpudoctor {verb} >/dev/full")
    assert ran.code == 3
    assert ran.err.startswith("gpudoctor: the result could not be written: ")
    assert "Traceback" not in ran.err


def test_a_full_stderr_changes_no_exit_code(lab: Lab) -> None:
    assert _shell(lab, "gpudoctor check --format nope 2>/dev/full").code == 2
    assert _shell(lab, "gpudoctor check --quick 2>/dev/full").code == 0


def test_a_stream_that_is_ascii_gets_ascii(lab: Lab) -> None:
    ran = _shell(lab, "gpudoctor check --quick --verbose", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii:strict")
    assert (ran.code, ran.err, ran.out.isascii()) == (0, "", True)


def test_a_pipe_that_does_not_block_gets_everything(lab: Lab) -> None:
    """The report is larger than a pipe, and its reader takes a while to come."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen(
        [str(GPUDOCTOR), "check", "--quick", "--format", "json"], env=lab.env("h100x8-nvswitch"), stdout=writer
    )
    os.close(writer)
    time.sleep(1)
    with os.fdopen(reader, "rb") as stream:
        assert json.loads(stream.read())["status"] == "ok"
    assert process.wait(timeout=30) == 0
