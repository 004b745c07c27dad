"""Runs probes against a simulated machine: in a forked child that has the stub libraries loaded."""

from __future__ import annotations

import ctypes
import os
import select
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gpudoctor.host import Host, LocalHost
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.facts.section import Section
from gpudoctor.model.probe_result import ProbeResult
from tests.host.examination import examination
from tests.sim import stubs
from tests.sim.build import environment

S = TypeVar("S", bound=Section)

TIMEOUT_S = 30.0


class Simulated:
    """A machine in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def host(self, faults: str = "", **variables: str) -> LocalHost:
        """As a shell on that machine would see it."""
        return LocalHost(environ=environment(self.folder, faults, variables))

    def collect(self, probe: Probe, section: type[S], faults: str = "", request: Request | None = None) -> S:
        """The section of one probe, in a child of its own."""
        host = self.host(faults)
        return self.sections(section, [lambda: probe.collect(host, request or Request())], host)[0]

    def sections(
        self, section: type[S], collects: Sequence[Callable[[], Section]], host: LocalHost | None = None
    ) -> list[S]:
        """What each function returns, all in one child: the driver's libraries keep their state."""
        host = host or self.host()

        def in_child() -> bytes:
            enter(host)
            return msgspec.msgpack.encode([msgspec.msgpack.encode(collect()) for collect in collects])

        encoded = msgspec.msgpack.decode(forked(in_child), type=list[bytes])
        return [msgspec.msgpack.decode(one, type=section) for one in encoded]

    def examine(
        self, probe: Probe, section: type[S], faults: str, *, timeout_s: float = TIMEOUT_S
    ) -> tuple[S | None, ProbeResult]:
        """As gpudoctor itself runs a probe: with deadlines, and again without what hung or crashed."""

        def collect(host: Host, request: Request) -> Section:
            enter(host)
            return probe.collect(host, request)

        done = examination(self.host(faults), [replace(probe, collect=collect)], Request(), timeout_s=timeout_s)
        found = done.sections.get(probe.name)
        assert found is None or isinstance(found, section)
        return found, done.results[0]


def enter(host: Host) -> None:
    """Make this process one of that machine: its variables, and its libraries before any other of that name."""
    os.environ.clear()
    os.environ.update(host.environ)
    folder = Path(host.environ["LD_LIBRARY_PATH"])
    for library in stubs.LIBRARIES:
        if (folder / library).exists():
            ctypes.CDLL(str(folder / library))  # a library that is loaded is found again by its name


def forked(function: Callable[[], bytes]) -> bytes:
    """Run `function` in a forked child and return what it returns."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(read_end)
            with os.fdopen(write_end, "wb") as pipe:
                pipe.write(function())
            status = 0
        finally:
            os._exit(status)
    os.close(write_end)
    parts: list[bytes] = []
    with os.fdopen(read_end, "rb", buffering=0) as pipe:
        while not parts or parts[-1]:
            if not select.select([pipe], [], [], TIMEOUT_S)[0]:
                os.kill(pid, signal.SIGKILL)
            parts.append(pipe.read(1 << 16))
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child ended with {os.waitstatus_to_exitcode(status)}"
    return b"".join(parts)
