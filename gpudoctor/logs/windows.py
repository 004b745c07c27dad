"""Lines of a block of bytes, found from places in it; a line without an end is looked at through a window."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

BEFORE: Final = 1024
AFTER: Final = 3072


class Window(Struct):
    """A line, or the part of an endless one around a match. `start` and `end` are places in the block."""

    start: int
    end: int
    number: int  # of the line, from 1


class Windows:
    """Finds lines in ascending order and counts them."""

    def __init__(self, data: bytes, first_line: int) -> None:
        self._data = data
        self._counted = 0
        self._number = first_line

    def around(self, start: int, end: int) -> Window:
        """The line with this match. A carriage return ends a line on the screen, but is no line of the file."""
        data = self._data
        low = max(0, start - BEFORE)
        high = min(len(data), end + AFTER)
        begin = max(data.rfind(b"\n", low, start), data.rfind(b"\r", low, start))
        stop = data.find(b"\n", end, high)
        stop = high if stop < 0 else stop
        turn = data.find(b"\r", end, stop)
        if turn >= 0:
            stop = turn
        begin = low if begin < 0 else begin + 1
        return Window(begin, stop, self.number(start))

    def number(self, place: int) -> int:
        """The number of the line at `place`, which must not go back."""
        if place > self._counted:
            self._number += self._data.count(b"\n", self._counted, place)
            self._counted = place
        return self._number
