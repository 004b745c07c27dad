"""Changes of a text, collected as spans and applied at once, so that nothing else of it moves."""

from __future__ import annotations

import shlex
from typing import Final

_BLANKS: Final = (" ", "\t")
_ENDS: Final = "\n;&|)>"


class Edits:
    """Replacements, insertions and removals in one text. Offsets are those of the unchanged text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, start: int, end: int, text: str) -> None:
        """Put `text` in place of a span."""
        self._edits.append((start, end, text))

    def insert(self, offset: int, text: str) -> None:
        """Put `text` at an offset; several at one offset keep their order."""
        self._edits.append((offset, offset, text))

    def remove(self, start: int, end: int) -> None:
        """Take a span away with the blanks behind it, or those in front of it at the end of a line."""
        behind = end
        while behind < len(self.text) and self.text[behind] in _BLANKS:
            behind += 1
        if behind < len(self.text) and self.text[behind] not in _ENDS:
            end = behind
        else:
            while start > 0 and self.text[start - 1] in _BLANKS:
                start -= 1
        self._edits.append((start, end, ""))

    def apply(self) -> str:
        """The changed text. Where two spans overlap, the one that begins first counts."""
        parts: list[str] = []
        at = 0
        for start, end, text in sorted(self._edits, key=lambda e: (e[0], e[1])):
            if start < at < end and text:
                continue
            parts += [self.text[at : max(at, start)], text]
            at = max(at, end)
        parts.append(self.text[at:])
        result = "".join(parts)
        return result if self.text.endswith(_BLANKS) else result.rstrip(" \t")


def assignment(name: str, value: str) -> str:
    """NAME=value with only the value quoted: a quoted name would make it a command."""
    return f"{name}={shlex.quote(value)}" if value else f"{name}="
