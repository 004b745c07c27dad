"""All literals of all signatures at once: which of them stand where in a block of bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import ahocorasick_rs

_BUSY: Final = 5000  # after so many lines with a literal there is nothing to learn from more of them


class Automaton:
    """Finds literals. Those that a log is full of can be left out; a new automaton takes milliseconds."""

    def __init__(self, literals: Sequence[str]) -> None:
        self._literals = [literal.encode() for literal in literals]
        self._all = _build(self._literals)
        self._left = self._all
        self._ids = list(range(len(self._literals)))
        self._found: Counter[int] = Counter()
        self.dropped: set[int] = set()

    def find(self, data: bytes, *, everything: bool) -> list[tuple[int, int, int]]:
        """(literal, start, end) in the order of their ends; `everything` brings those too that were left out."""
        if not self._literals:
            return []
        if everything or not self.dropped:
            found = self._all.find_matches_as_indexes(data, overlapping=True)
        else:
            ids = self._ids
            found = [(ids[i], a, b) for i, a, b in self._left.find_matches_as_indexes(data, overlapping=True)]
        if len(found) > 64:
            self._count(found)
        return found

    def _count(self, found: list[tuple[int, int, int]]) -> None:
        self._found.update(match[0] for match in found)
        busy = {literal for literal, count in self._found.items() if count > _BUSY} - self.dropped
        if busy:
            self.dropped |= busy
            self._ids = [i for i in range(len(self._literals)) if i not in self.dropped]
            self._left = _build([self._literals[i] for i in self._ids])


def _build(literals: Sequence[bytes]) -> ahocorasick_rs.BytesAhoCorasick:
    return ahocorasick_rs.BytesAhoCorasick(list(literals), implementation=ahocorasick_rs.Implementation.DFA)
