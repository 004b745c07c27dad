"""Text that was copied from a terminal, where long lines were broken at its width.

Only what a first reading did not find is looked for in the mended text, and only in short texts: a log of gigabytes
was written by a program, not copied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

MAX_BYTES: Final = 1 << 20
_NARROWEST: Final = 40
_AT_LEAST: Final = 2  # lines of exactly the width
_MAX_JOINED: Final = 12
_NO_TEXT: Final = frozenset("|+-=_#*~")  # what lines of tables end in


def unwrapped(text: str) -> tuple[str, list[int]] | None:
    """The text with broken lines joined, and for each of its lines the number of the first part; None where none is."""
    lines = text.split("\n")
    width = _width(lines)
    if not width:
        return None
    joined: list[str] = []
    numbers: list[int] = []
    parts = 0
    for number, line in enumerate(lines, start=1):
        if parts and parts < _MAX_JOINED:
            joined[-1] += line
        else:
            joined.append(line)
            numbers.append(number)
            parts = 0
        parts = parts + 1 if len(line) == width else 0
    return ("\n".join(joined), numbers) if len(joined) < len(lines) else None


def _width(lines: Sequence[str]) -> int:
    """The width at which lines were broken; 0 where it does not look so."""
    longest = max((len(line) for line in lines), default=0)
    if longest < _NARROWEST:
        return 0
    full = [line for line in lines if len(line) == longest and line[-1] not in _NO_TEXT]
    near = Counter(len(line) for line in lines if len(line) >= longest - 2)
    return longest if len(full) >= _AT_LEAST and near[longest] * 2 >= sum(near.values()) else 0
