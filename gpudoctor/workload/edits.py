"""Changes of a text, collected as spans and applied at once, so that nothing else of it moves."""

from __future__ import annotations

import shlex


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
        """Take a span away with the blanks in front of it, or those behind it at the start of a command or line."""
        before = start
        while before > 0 and self.text[before - 1] in " \t":
            before -= 1
        if before and self.text[before - 1] not in "\n;&|(":
            start = before
        else:
            while end < len(self.text) and self.text[end] in " \t":
                end += 1
        self._edits.append((start, end, ""))

    def apply(self) -> str:
        """The changed text. Where two spans overlap, the one that was asked for first counts."""
        parts: list[str] = []
        at = 0
        for start, end, text in sorted(self._edits, key=lambda e: (e[0], e[1])):
            if start < at and end > start:
                continue
            parts += [self.text[at : max(at, start)], text]
            at = max(at, end)
        parts.append(self.text[at:])
        return "".join(parts)


def assignment(name: str, value: str) -> str:
    """NAME=value with only the value quoted: a quoted name would make it a command."""
    return f"{name}={shlex.quote(value)}" if value else f"{name}="
