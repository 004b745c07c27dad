"""Run a program with a deadline and bounded output; its whole process group dies with the deadline."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gpudoctor.host.access import MAX_OUTPUT_BYTES, Command, HostError

if TYPE_CHECKING:
    import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded before any fork, so that nothing is imported in the new process
_TICK_S = 0.05  # how often to look whether a program that says nothing has ended
_GRACE_S = 0.2  # a killed process that is not gone by then is stuck in the kernel and is left behind


def run_bounded(argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str]) -> Command:
    """Run `argv` without a shell, stdin closed.

    Raises HostError: tool_missing, no_permission, timeout (with the kernel wait channel of a stuck process), failed.
    """
    name = argv[0]
    program = _found(name, env)
    import subprocess  # three modules that a check needs only where it starts a program

    try:
        process = subprocess.Popen(
            list(argv),
            executable=program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            preexec_fn=partial(_own_group, os.getpid()),  # noqa: PLW1509 - gpudoctor has no threads where it runs commands
        )
    except FileNotFoundError as error:
        raise HostError("tool_missing", f"{name} is not installed or not on PATH") from error
    except PermissionError as error:
        raise HostError("no_permission", f"{name} may not be run by this user") from error
    except (OSError, ValueError) as error:
        raise HostError("failed", f"{name} could not be started: {error}") from error
    try:
        return _collect(process, name, time.monotonic() + timeout_s, timeout_s)
    finally:
        kill_group(process.pid)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        _reap(process)


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


def _own_group(parent: int) -> None:
    """In the new process: lead a process group, and die with whoever started us."""
    os.setpgrp()
    die_with_parent(parent)


def open_null() -> int:
    """A descriptor of /dev/null or, where there is no /dev, of a pipe that nobody reads."""
    try:
        return os.open(os.devnull, os.O_RDWR)
    except OSError:
        reader, writer = os.pipe()
        os.close(reader)
        return writer


def die_with_parent(parent: int) -> None:
    """In a new process: SIGKILL when the process `parent`, which started it, ends; at once where it already has."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class _Output:
    """What a program has said so far, stream by stream, each bounded to MAX_OUTPUT_BYTES."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        streams = [stream.fileno() for stream in (process.stdout, process.stderr) if stream is not None]
        self._kept: dict[int, bytearray] = {stream: bytearray() for stream in streams}
        self._poller = select.poll()
        for stream in streams:
            self._poller.register(stream, select.POLLIN | select.POLLHUP)
        self.open = len(streams)

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

    def texts(self) -> tuple[str, str]:
        """Standard output and standard error so far."""
        out, err = (bytes(kept).decode("utf-8", "replace") for kept in self._kept.values())
        return out, err


def _collect(process: subprocess.Popen[bytes], name: str, deadline: float, timeout_s: float) -> Command:
    from subprocess import TimeoutExpired

    output = _Output(process)
    while output.open:
        left = deadline - time.monotonic()
        quiet = not output.take(min(left, _TICK_S))
        # A child that the program left behind may hold its streams open: what matters is that the program has ended.
        if (quiet or left <= 0) and process.poll() is not None:
            break
        if left <= 0:
            stuck = wait_channel(process.pid)
            raise HostError("timeout", f"{name} did not answer within {timeout_s:g} s{stuck}", *output.texts())
    try:
        exit_code = process.wait(max(0.0, deadline - time.monotonic()))
    except TimeoutExpired as error:
        stuck = wait_channel(process.pid)
        raise HostError("timeout", f"{name} did not end within {timeout_s:g} s{stuck}", *output.texts()) from error
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


def _reap(process: subprocess.Popen[bytes]) -> None:
    from subprocess import TimeoutExpired

    try:
        process.wait(_GRACE_S)
    except TimeoutExpired:
        # Nothing can end it. Say so to subprocess, or it would warn and wait for it at exit.
        process.returncode = -signal.SIGKILL
