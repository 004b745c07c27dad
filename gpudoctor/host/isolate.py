"""Forked children that run probes, so that a hang, a crash or a corrupted process loses one probe and nothing else.

A child runs a list of probes and sends each section as it is finished. Its standard streams are /dev/null and it holds
no descriptor of ours but its pipe, so that one stuck in the kernel (state D) keeps neither us nor a shell pipe waiting.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import NoReturn

import msgspec
from msgspec import Struct, field

from gpudoctor.host import frames
from gpudoctor.host import marker as call_marker
from gpudoctor.host.access import Host
from gpudoctor.host.marker import CallMarker
from gpudoctor.host.new_process import close_all_but, die_with_parent, open_null
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.process import kill_session, wait_channel
from gpudoctor.model.facts.section import Section

_GONE_WITHIN_S = 0.2


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What a child says about one probe: its section as msgpack, or the error that ended it."""

    probe: str
    seconds: float
    section: bytes
    error: str
    is_complete: bool = False  # nothing is left for a probe that stands in for it


class Border(Struct, frozen=True):
    """What a child has of the process that forked it: its pid, the shared marker, the pipe to it."""

    parent: int
    marker: CallMarker
    pipe: int


class Child(Struct):
    """A running child, as the parent sees it."""

    pid: int
    pipe: int
    marker: CallMarker
    probes: list[Probe]  # those still to be answered, in order
    probe_started: float  # when the first of them began, monotonic
    received: frames.Frames = field(default_factory=frames.Frames)

    def read(self) -> tuple[list[Frame], bool]:
        """The frames that have become complete, and whether the child has closed its pipe."""
        data = os.read(self.pipe, 1 << 16)
        try:
            bodies = self.received.feed(data)
        except ValueError:
            return [], True
        return [msgspec.msgpack.decode(body, type=Frame) for body in bodies], not data

    def kill(self) -> str:
        """End it and all it started. Returns where it is stuck in the kernel, or ""."""
        stuck = wait_channel(self.pid)
        kill_session(self.pid)
        return stuck

    def reap(self) -> str:
        """How it ended: "" for a normal end, else "was killed by SIGSEGV" or "exited with status 3"."""
        os.close(self.pipe)
        deadline = time.monotonic() + _GONE_WITHIN_S
        pause_s = 0.0002  # it closed its pipe by ending, which takes less than a millisecond
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return _describe(os.waitstatus_to_exitcode(status))
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.005)
        return "could not be ended"


def _describe(exit_code: int) -> str:
    if exit_code == 0:
        return ""
    if exit_code > 0:
        return f"exited with status {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"was killed by {name}"


def start(probes: Sequence[Probe], host: Host, request: Request) -> Child:
    """Fork a child that runs `probes` in order. Raises OSError where no file or process is left for it."""
    marker = CallMarker()
    read_end, write_end = os.pipe()
    started = time.monotonic()
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        os.close(read_end)
        os.close(write_end)
        raise
    if pid == 0:
        _run_child(probes, host, request, Border(parent, marker, write_end))
    os.close(write_end)
    return Child(pid=pid, pipe=read_end, marker=marker, probes=list(probes), probe_started=started)


def _run_child(probes: Sequence[Probe], host: Host, request: Request, border: Border) -> NoReturn:
    """The child's whole life; never returns."""
    status = 1
    try:
        _detach(border)
        call_marker.install(border.marker)
        for probe in probes:
            frames.send(msgspec.msgpack.encode(_run_probe(probe, host, request)), border.pipe)
        status = 0
    finally:
        os._exit(status)


def _detach(border: Border) -> None:
    os.setsid()
    die_with_parent(border.parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    null = open_null()
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    close_all_but(border.pipe)


def _run_probe(probe: Probe, host: Host, request: Request) -> Frame:
    started = time.monotonic()
    is_complete = False
    try:
        section: Section = probe.collect(host, request)
        encoded, error = msgspec.msgpack.encode(section), ""
        is_complete = probe.is_complete(section)
    except Exception as problem:  # noqa: BLE001 - the border of a child process: the parent reports it by name
        encoded, error = b"", f"{type(problem).__name__}: {problem}"[:500]
    call_marker.calling("")
    return Frame(probe.name, time.monotonic() - started, encoded, error, is_complete)
