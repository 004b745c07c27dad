"""A process that outlives a launcher killed by SIGKILL, just long enough to clear away what its ranks leave.

The ranks themselves die with the launcher, by the kernel's doing. What they have started does not, and NCCL's segments
in shared memory keep their names.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import NoReturn

from gpudoctor.host.new_process import open_null
from gpudoctor.host.process import kill_session
from gpudoctor.smoke import segments

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S = 1.0
_TO_DIE_S = 5.0  # a process with a GPU's memory takes a while
_TICK_S = 0.02
_FAREWELL = b"bye"
_FIRST_OWN_DESCRIPTOR = 3


class Guard:
    """The launcher's side: it names each rank, and in the end sends the guard away."""

    def __init__(self) -> None:
        """Where no process or file is left for a guard, the run goes on without one."""
        self._pid = 0
        self._pipe = -1
        before = segments.listed()
        with contextlib.suppress(OSError):
            reader, self._pipe = os.pipe()
            # An interrupt in the first moment of the new process would make it leave as if it were the launcher.
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            try:
                self._pid = os.fork()
                if not self._pid:
                    _live(reader, before)
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
                os.close(reader)

    def watch(self, pid: int) -> None:
        """Whatever the session of this rank holds is to be ended."""
        self._say(b"%d\n" % pid)

    def dismiss(self) -> None:
        """All has been cleared away by the launcher itself."""
        self._say(_FAREWELL)
        if self._pipe >= 0:
            os.close(self._pipe)
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
        self._pid, self._pipe = 0, -1

    def _say(self, words: bytes) -> None:
        if self._pid:
            with contextlib.suppress(OSError):  # it was killed; the ranks die with us all the same
                os.write(self._pipe, words)


def _live(reader: int, before: frozenset[str]) -> NoReturn:
    """The guard's whole life; never returns."""
    try:
        _detach(reader)
        heard = bytearray()
        while data := os.read(reader, 4096):
            heard += data
        *ranks, last = bytes(heard).split(b"\n")
        if last != _FAREWELL:
            _end([int(rank) for rank in ranks])
            segments.sweep(before, _PATIENCE_S)
    finally:
        os._exit(0)


def _end(ranks: list[int]) -> None:
    """Kill their sessions until nobody is left, or stuck in the kernel: who is dying still maps his segments."""
    deadline = time.monotonic() + _TO_DIE_S
    while sum(map(kill_session, ranks)) and time.monotonic() < deadline:
        time.sleep(_TICK_S)


def _detach(reader: int) -> None:
    """Out of the terminal's reach, with nothing open but the pipe: whoever reads our output must not wait for us."""
    os.setsid()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    null = open_null()
    for stream in range(_FIRST_OWN_DESCRIPTOR):
        os.dup2(null, stream)
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(entry) not in (*range(_FIRST_OWN_DESCRIPTOR), reader):
            with contextlib.suppress(OSError):  # the one that the list itself was read from
                os.close(int(entry))
