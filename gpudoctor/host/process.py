"""Run a program with a deadline and bounded output; its whole process group dies with the deadline."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from gpudoctor.host.access import MAX_OUTPUT_BYTES, Command, HostError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded before any fork, so that nothing is imported in the new process
_GRACE_S = 0.2  # a killed process that is not gone by then is stuck in the kernel and is left behind


def run_bounded(argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str]) -> Command:
    """Run `argv` without a shell, stdin closed.

    Raises HostError: tool_missing, no_permission, timeout (with the kernel wait channel of a stuck process), failed.
    """
    name = argv[0]
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            preexec_fn=_own_group,  # noqa: PLW1509 - gpudoctor has no threads where it runs commands
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


def _own_group() -> None:
    """In the new process: lead a process group, and die with whoever started us."""
    os.setpgrp()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _collect(process: subprocess.Popen[bytes], name: str, deadline: float, timeout_s: float) -> Command:
    assert process.stdout is not None  # noqa: S101 - for the type checker: both are pipes
    assert process.stderr is not None  # noqa: S101
    kept: dict[int, list[bytes]] = {process.stdout.fileno(): [], process.stderr.fileno(): []}
    sizes = dict.fromkeys(kept, 0)
    open_streams = list(kept)
    poller = select.poll()
    for stream in open_streams:
        poller.register(stream, select.POLLIN | select.POLLHUP)
    while open_streams:
        left = deadline - time.monotonic()
        if left <= 0:
            raise HostError("timeout", f"{name} did not answer within {timeout_s:g} s{wait_channel(process.pid)}")
        for stream, _ in poller.poll(left * 1000):
            data = os.read(stream, 1 << 16)
            if not data:
                poller.unregister(stream)
                open_streams.remove(stream)
            elif sizes[stream] < MAX_OUTPUT_BYTES:
                kept[stream].append(data)
                sizes[stream] += len(data)
    try:
        exit_code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise HostError("timeout", f"{name} did not end within {timeout_s:g} s{wait_channel(process.pid)}") from error
    out, err = (b"".join(parts)[:MAX_OUTPUT_BYTES].decode("utf-8", "replace") for parts in kept.values())
    return Command(exit_code, out, err)


def wait_channel(pid: int) -> str:
    """Where in the kernel a process hangs, as the end of a sentence; empty where it does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            state = file.read().rpartition(")")[2].split()[0]
        with open(f"/proc/{pid}/wchan", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            channel = file.read().strip()
    except (OSError, IndexError):
        return ""
    if state != "D":
        return ""
    where = f" in {channel}" if channel and channel != "0" else ""
    return f"; it is stuck in the kernel (state D{where}) and was left behind"


def kill_group(pid: int) -> None:
    """SIGKILL to the process group that `pid` leads; gone already is fine."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def kill_session(leader: int) -> None:
    """SIGKILL to every process of the session that `leader` leads, whatever process groups they made."""
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdigit() and _session_of(int(entry)) == leader:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry), signal.SIGKILL)


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        # Nothing can end it. Say so to subprocess, or it would warn and wait for it at exit.
        process.returncode = -signal.SIGKILL
