"""The name of the library function that an isolated probe is about to call, in memory shared with the parent.

Written before each call into a library that can hang or crash: when the child does, the parent still reads the name.
A write is a memory copy, so that marking a thousand calls costs less than one of them.
"""

from __future__ import annotations

import mmap
import time

_SIZE = 256


class CallMarker:
    """One shared page: the time of the last mark (monotonic seconds) and a name."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, _SIZE)

    def set(self, name: str) -> None:
        """Mark that `name` is about to be called; an empty name means that no call is in progress."""
        text = name.encode()[: _SIZE - 32]
        record = b"%.6f %s\0" % (time.monotonic(), text)
        self._page[: len(record)] = record

    def get(self) -> tuple[str, float]:
        """The function in progress (or "") and the seconds since it was marked."""
        raw = bytes(self._page[:]).split(b"\0", 1)[0]
        stamp, _, name = raw.partition(b" ")
        if not stamp:
            return "", 0.0
        return name.decode("utf-8", "replace"), max(0.0, time.monotonic() - float(stamp))


_current: CallMarker | None = None


def install(marker: CallMarker) -> None:
    """Called once in the child: from now on `calling` writes to this marker."""
    global _current  # noqa: PLW0603 - one per child process, like errno
    _current = marker


def calling(name: str) -> None:
    """Say that a library function is about to be called ("" when none is)."""
    if _current is not None:
        _current.set(name)
