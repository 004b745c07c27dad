"""Commands: deadlines, what a hung one had said, children that outlive their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gpudoctor.host import HostError, process
from gpudoctor.host.access import MAX_OUTPUT_BYTES
from gpudoctor.host.process import kill_session, run_bounded, state_of

ENV = dict(os.environ)


def python(code: str, timeout_s: float = 20.0) -> tuple[int, str, str]:
    command = run_bounded([sys.executable, "-c", code], timeout_s=timeout_s, env=ENV)
    return command.exit_code, command.stdout, command.stderr


def test_output_streams_and_exit_code_come_back() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert python(code) == (3, "out\n", "err\n")


def test_a_time_out_carries_what_the_program_had_said() -> None:
    code = (
        "import sys, time; print('phase one', flush=True); print('oops', file=sys.stderr, flush=True); time.sleep(60)"
    )
    with pytest.raises(HostError) as caught:
        python(code, timeout_s=3)
    assert caught.value.reason == "timeout"
    assert caught.value.stdout == "phase one\n"
    assert caught.value.stderr == "oops\n"


def test_what_is_said_with_the_last_breath_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    take = process._Output.take

    def too_early(output: process._Output, wait_s: float) -> bool:
        """The first look finds nothing; then the program speaks and ends, before anybody asks whether it has."""
        looked.append(wait_s)
        if len(looked) == 1:
            time.sleep(1.0)
            return False
        return take(output, wait_s)

    monkeypatch.setattr(process._Output, "take", too_early)
    assert python("import sys; print('out'); print('err', file=sys.stderr)") == (0, "out\n", "err\n")


def test_a_child_that_keeps_the_streams_open_does_not_delay_the_answer(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"""
import os, time
if os.fork() == 0:
    open({str(pid_file)!r}, "w").write(str(os.getpid()))
    time.sleep(60)
while not os.path.exists({str(pid_file)!r}): time.sleep(0.01)
print("parent is done", flush=True)
os._exit(0)
"""
    assert python(code, timeout_s=40.0)[:2] == (0, "parent is done\n")
    with pytest.raises(ProcessLookupError):
        _wait_until_gone(int(pid_file.read_text()))


def _wait_until_gone(pid: int) -> None:
    for _ in range(200):
        os.kill(pid, 0)
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError  # killed; whoever adopted it has not collected it yet
        time.sleep(0.02)


def test_a_child_that_never_stops_talking_does_not_turn_the_answer_into_a_time_out() -> None:
    code = """
import os
if os.fork() == 0:
    while True: os.write(1, b"x" * 4096)
os._exit(7)
"""
    assert python(code, timeout_s=10)[0] == 7


def test_output_is_bounded_and_the_program_is_not_blocked_by_it() -> None:
    code, out, _ = python(
        f"import os; d = b'x' * 65536\nfor _ in range({MAX_OUTPUT_BYTES // 65536 + 20}): os.write(1, d)"
    )
    assert code == 0
    assert len(out) == MAX_OUTPUT_BYTES


def test_a_missing_program_and_one_without_permission_have_their_reasons(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    for argv0, reason in ((str(tmp_path / "none"), "tool_missing"), (str(plain), "no_permission")):
        with pytest.raises(HostError) as caught:
            run_bounded([argv0], timeout_s=5.0, env=ENV)
        assert caught.value.reason == reason


def test_a_session_is_there_until_its_last_process_is_gone() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & exec sleep 60"], start_new_session=True) as leader:
        while len(_session(leader.pid)) < 2:
            time.sleep(0.01)
        deadline = time.monotonic() + 10
        while kill_session(leader.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert {state_of(pid) for pid in _session(leader.pid)} <= {"", "Z"}  # the dead wait for their parent
        assert leader.wait(5) == -signal.SIGKILL


def _session(leader: int) -> list[int]:
    every = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    members = []
    for pid in every:
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) == leader:
                members.append(pid)
    return members
