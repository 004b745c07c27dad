"""SIGINT, SIGTERM and SIGHUP: one orderly way out, with a code and a document, whoever asks us to end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S = 1.0  # after which a second signal means that we do not come to an end


def install() -> None:
    """From here on a signal raises KeyboardInterrupt. What the caller ignores (`nohup`) stays ignored."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    # Whoever started us may ignore the end of children: then nobody could be told how one of ours ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def hold() -> None:
    """From here on we write and leave: a signal would only cut the document in two, so it must come late to count."""
    since = time.monotonic()

    def too_late(_number: int, _frame: FrameType | None) -> None:
        if time.monotonic() - since > _PATIENCE_S:
            os._exit(130)  # the exit code of an interrupt; a reader that reads no more may keep everything else waiting

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, too_late)
    unblock()


@contextlib.contextmanager
def blocked() -> Iterator[None]:
    """Where no interrupt may come in between; those that come meanwhile are delivered at the end.

    Around a fork: in its first moment the new process would leave as if it were the old one. Where structs are defined
    or decoded: msgspec loses an exception that its callbacks raise, and crashes over what was left half done.
    """
    before = block()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def block() -> set[signal.Signals | int]:
    """From here on signals wait. Returns which waited before."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def unblock() -> None:
    """Signals that came meanwhile are delivered now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    hold()
    raise KeyboardInterrupt
