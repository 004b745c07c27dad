"""What CUDA shows to the workload: a second look, with its CUDA_VISIBLE_DEVICES, from a process of its own.

CUDA reads the variable once, in the first cuInit of a process. So this process forks before that; the fork looks with
the variable, its parent without it, at the same time.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from msgspec import DecodeError, Struct, json

from gpudoctor.host import marker
from gpudoctor.host.new_process import die_with_parent
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.probes._cuda_library import SOURCE, CudaProblem, Library
from gpudoctor.probes._stalled import Stalled

VARIABLE = "CUDA_VISIBLE_DEVICES"

MAX_DEVICES = 64
NO_DEVICE = 100

_MAX_ANSWER_BYTES = 1 << 16
_REAP_S = 0.05


class Visible(Struct, frozen=True):
    """The two facts of the second look."""

    init_error: Fact[str]
    uuids: Fact[tuple[str, ...]]

    @classmethod
    def absent_because(cls, problem: CudaProblem) -> Visible:
        """Neither could be had."""
        return cls(problem.fact(), problem.fact())


def without_init(problem: CudaProblem) -> Visible:
    """What a cuInit that failed means: its name is a fact, and with "no device" so is the empty list."""
    if problem.code is None:
        return Visible.absent_because(problem)
    if problem.code == NO_DEVICE:
        return Visible(known(problem.detail, SOURCE), known((), SOURCE))
    return Visible(known(problem.detail, SOURCE), problem.fact())


class Look(Struct, frozen=True):
    """A fork that looks, and where its answer comes from."""

    pid: int
    pipe: int


def set_environment(environment: Mapping[str, str], *, visible: bool) -> None:
    """Give this process the workload's CUDA_* variables, without CUDA_VISIBLE_DEVICES unless `visible`."""
    for name in [name for name in os.environ if name.startswith("CUDA_")]:
        del os.environ[name]
    for name, value in environment.items():
        if name.startswith("CUDA_") and (visible or name != VARIABLE) and "\0" not in value:
            os.environ[name] = value


def start(environment: Mapping[str, str], stalled: Stalled) -> Look:
    """Fork; must be called before CUDA is initialised here."""
    read_end, write_end = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run(environment, stalled, parent, write_end)
    os.close(write_end)
    return Look(pid, read_end)


def finish(look: Look, deadline: float) -> Visible:
    """The answer, if it comes by `deadline` (monotonic). The fork is gone afterwards, or stuck in the kernel."""
    data = b""
    complete = False
    while not complete and len(data) < _MAX_ANSWER_BYTES:
        ready, _, _ = select.select([look.pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            break
        part = os.read(look.pipe, 1 << 14)
        complete = not part
        data += part
    os.close(look.pipe)
    _end(look.pid)
    if not complete:
        return Visible.absent_because(CudaProblem("timeout", f"cuInit with {VARIABLE} did not return"))
    return _parsed(data)


def _run(environment: Mapping[str, str], stalled: Stalled, parent: int, pipe: int) -> NoReturn:
    status = 1
    try:
        die_with_parent(parent)
        marker.install(marker.CallMarker())  # the shared one is the parent's, which is calling too
        set_environment(environment, visible=True)
        os.write(pipe, _look(stalled))
        status = 0
    finally:
        os._exit(status)


def _look(stalled: Stalled) -> bytes:
    """The answer that `_parsed` understands: error name or "", and the UUIDs where they could be had."""
    try:
        library = Library(stalled)
        library.call("cuInit", 0)
    except CudaProblem as problem:
        return json.encode([problem.reason, problem.detail, problem.code])
    try:
        count = library.number("cuDeviceGetCount")
        uuids = [library.uuid(library.handle(index)) for index in range(min(count, MAX_DEVICES))]
    except CudaProblem as problem:
        return json.encode({"reason": problem.reason, "detail": problem.detail})
    return json.encode({"uuids": uuids})


def _parsed(data: bytes) -> Visible:
    try:
        answer = json.decode(data)
    except (DecodeError, UnicodeDecodeError):
        return Visible.absent_because(CudaProblem("failed", f"CUDA crashed with {VARIABLE}"))
    if isinstance(answer, list):
        return without_init(CudaProblem(*answer))
    if "uuids" in answer:
        return Visible(known("", SOURCE), known(tuple(answer["uuids"]), SOURCE))
    return Visible(known("", SOURCE), absent(answer["reason"], answer["detail"], SOURCE))


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _REAP_S
    while time.monotonic() < deadline:
        done, _ = os.waitpid(pid, os.WNOHANG)
        if done:
            return
        time.sleep(0.001)
