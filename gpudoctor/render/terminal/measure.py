"""Widths in terminal columns."""

from __future__ import annotations

import re

# What is one column wide for certain: Latin, dashes, arrows, operators, boxes, blocks and our own signs.
_NARROW = re.compile("[ -\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2200-\u22ff\u2500-\u259f\u2713\u2717]*\\Z")


def columns(text: str) -> int:
    """How many columns a terminal gives the text."""
    if (text.isascii() and text.isprintable()) or _NARROW.match(text):
        return len(text)
    from rich.cells import cell_len  # only for scripts with wide characters

    return cell_len(text)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Filled with spaces to `width` columns, the text at the left or right end."""
    fill = " " * (width - columns(text))
    return fill + text if right else text + fill


def head(text: str, room: int) -> str:
    """The longest start of the text that fits `room` columns; at least one character."""
    end = max(1, min(len(text), room))
    while end > 1 and columns(text[:end]) > room:
        end -= 1
    return text[:end]


def fit(text: str, room: int, mark: str = "…") -> str:
    """The text, cut where it does not fit, with a mark that says so."""
    if columns(text) <= room:
        return text
    return head(text, room - len(mark)) + mark if room > len(mark) else ""
