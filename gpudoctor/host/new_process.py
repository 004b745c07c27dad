"""What a process does first that was just forked."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_FIRST_OWN_DESCRIPTOR = 3
_MOST_DESCRIPTORS = 1 << 16
_libc = ctypes.CDLL(None)  # loaded before any fork, so that nothing is imported in the new process


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


def close_all_but(kept: int) -> None:
    """Close every descriptor but the standard streams and `kept`."""
    limit = os.sysconf("SC_OPEN_MAX")
    os.closerange(_FIRST_OWN_DESCRIPTOR, kept)
    os.closerange(kept + 1, limit if 0 < limit < _MOST_DESCRIPTORS else _MOST_DESCRIPTORS)
