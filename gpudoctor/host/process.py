"""Run a program with a deadline and bounded output; its whole process group dies with the deadline."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence

from gpudoctor.host.access import MAX_OUTPUT_BYTES, Command, HostError
from gpudoctor.host.spawn import Program, start

_TICK_S = 0.05  # how often to look whether a program that says nothing has ended
_MOST_LEFT = 64  # reads of 64 KiB: more than a pipe holds, for who inherited the streams may write for ever
_GRACE_S = 0.2  # a killed process that is not gone by then is stuck in the kernel and is left behind


def run_bounded(argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str]) -> Command:
    """Run `argv` without a shell, stdin closed.

    Raises HostError: tool_missing, no_permission, timeout (with the kernel wait channel of a stuck process), failed.
    """
    name = argv[0]
    try:
        program = start(_found(name, env), argv, env)
    except FileNotFoundError as error:
        raise HostError("tool_missing", f"{name} is not installed or not on PATH") from error
    except PermissionError as error:
        raise HostError("no_permission", f"{name} may not be run by this user") from error
    except (OSError, ValueError) as error:
        raise HostError("failed", f"{name} could not be started: {error}") from error
    try:
        return _collect(program, name, time.monotonic() + timeout_s, timeout_s)
    finally:
        kill_group(program.pid)
        os.close(program.out)
        os.close(program.err)
        program.wait(_GRACE_S)


def _found(name: str, env: Mapping[str, str]) -> str:
    """The file that the name stands for on PATH. Looked for before a process is made in vain, which takes longer.

    Raises HostError: tool_missing, no_permission.
    """
    if "/" in name:
        return name
    refused = False
    for folder in os.get_exec_path(env):
        at = f"{folder or '.'}/{name}"
        if os.path.isfile(at):  # noqa: PTH113
            if os.access(at, os.X_OK):
                return at
            refused = True
    if refused:
        raise HostError("no_permission", f"{name} may not be run by this user")
    raise HostError("tool_missing", f"{name} is not installed or not on PATH")


class _Output:
    """What a program has said so far, stream by stream, each bounded to MAX_OUTPUT_BYTES."""

    def __init__(self, program: Program) -> None:
        self._kept = {program.out: bytearray(), program.err: bytearray()}
        self._poller = select.poll()
        for stream in self._kept:
            self._poller.register(stream, select.POLLIN | select.POLLHUP)
        self.open = len(self._kept)

    def take(self, wait_s: float) -> bool:
        """Read what arrives within `wait_s`; whether anything did."""
        ready = self._poller.poll(max(0.0, wait_s) * 1000)
        for stream, _ in ready:
            data = os.read(stream, 1 << 16)
            kept = self._kept[stream]
            kept += data[: MAX_OUTPUT_BYTES - len(kept)]
            if not data:
                self._poller.unregister(stream)
                self.open -= 1
        return bool(ready)

    def take_rest(self) -> None:
        """What a program that has ended had still said: it may have done both since we last looked."""
        for _ in range(_MOST_LEFT):
            if not self.open or not self.take(0.0):
                return

    def texts(self) -> tuple[str, str]:
        """Standard output and standard error so far."""
        out, err = (bytes(kept).decode("utf-8", "replace") for kept in self._kept.values())
        return out, err


def _collect(program: Program, name: str, deadline: float, timeout_s: float) -> Command:
    output = _Output(program)
    while output.open:
        left = deadline - time.monotonic()
        quiet = not output.take(min(left, _TICK_S))
        # A child that the program left behind may hold its streams open: what matters is that the program has ended.
        if (quiet or left <= 0) and program.poll() is not None:
            output.take_rest()
            break
        if left <= 0:
            stuck = wait_channel(program.pid)
            raise HostError("timeout", f"{name} did not answer within {timeout_s:g} s{stuck}", *output.texts())
    exit_code = program.wait(max(0.0, deadline - time.monotonic()))
    if exit_code is None:
        stuck = wait_channel(program.pid)
        raise HostError("timeout", f"{name} did not end within {timeout_s:g} s{stuck}", *output.texts())
    return Command(exit_code, *output.texts())


def wait_channel(pid: int) -> str:
    """Where in the kernel a process hangs, as the end of a sentence; empty where it does not."""
    if state_of(pid) != "D":
        return ""
    try:
        with open(f"/proc/{pid}/wchan", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            channel = file.read().strip()
    except OSError:
        return ""
    where = f" in {channel}" if channel and channel != "0" else ""
    return f"; it is stuck in the kernel (state D{where}) and was left behind"


def kill_group(pid: int) -> None:
    """SIGKILL to the process group that `pid` leads; gone already is fine."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_session(leader: int) -> bool:
    """SIGKILL to every process of the session that `leader` leads, whatever process groups they made.

    Returns whether one of them was there still, and be it on its way out: it keeps what it holds until it is gone.
    """
    found = False
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdigit() and _session_of(int(entry)) == leader:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry), signal.SIGKILL)
            found = found or state_of(int(entry)) not in ("", "Z")
    return found


def state_of(pid: int) -> str:
    """The kernel's letter for what a process does: R, S, D, Z ...; "" where there is none, or no telling."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1
