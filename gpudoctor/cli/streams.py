"""Standard streams that are closed, full, or that nobody reads."""

from __future__ import annotations

import errno
import os
import select
import sys
from contextlib import suppress

_STANDARD = 3
# What a write says when the result cannot be delivered: a full disk, a quota, a size limit, a terminal that is gone.
_UNDELIVERED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.ENXIO})


def ensure_open() -> None:
    """Streams that the caller closed (`>&-`) lead to /dev/null.

    Python has None for them, and a pipe of ours that got such a number would be mistaken for the stream.
    """
    if sys.stdin is not None and sys.stdout is not None and sys.stderr is not None:
        return
    from gpudoctor.host.new_process import open_null

    opened = open_null()
    while opened < _STANDARD:
        os.set_inheritable(opened, True)
        opened = open_null()
    sys.stdin = sys.stdin or os.fdopen(os.dup(opened), encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(os.dup(opened), "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(os.dup(opened), "w", encoding="utf-8")
    os.close(opened)


def write(text: str) -> None:
    """All of `text` to stdout.

    Python's own write loses the rest when a signal comes in the middle, and fails where the pipe is set to
    non-blocking, as some CI systems do.

    Raises:
        OSError: nobody reads on (BrokenPipeError), or what `undelivered` understands.
    """
    sys.stdout.flush()
    write_all(sys.stdout.fileno(), text.encode(sys.stdout.encoding, sys.stdout.errors or "strict"))


def write_all(descriptor: int, data: bytes) -> None:
    """Every byte, in as many pieces as it takes."""
    view = memoryview(data)
    while view:
        select.select([], [descriptor], [])  # a full pipe that is set to non-blocking is no error
        with suppress(BlockingIOError):
            view = view[os.write(descriptor, view) :]


def discard_stdout() -> None:
    """What is still buffered goes nowhere, and Python does not complain about it at exit."""
    from gpudoctor.host.new_process import open_null

    null = open_null()
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def undelivered(error: OSError) -> str:
    """Why the result did not reach its reader; "" where the error is about something else."""
    if error.errno in _UNDELIVERED and error.filename is None:
        return f"the result could not be written: {error.strerror}"
    return ""
