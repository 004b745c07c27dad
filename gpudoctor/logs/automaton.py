"""All literals of all signatures at once: which of them stand where in a block of bytes."""

from __future__ import annotations

from collections.abc import Sequence, Set

import ahocorasick_rs


class Literals:
    """All literals, built once for any number of files."""

    def __init__(self, literals: Sequence[str]) -> None:
        self.texts = [literal.encode() for literal in literals]
        self.machine = _build(self.texts)


class Automaton:
    """Finds literals in one file. Those that it is full of can be left out; a new automaton takes milliseconds."""

    def __init__(self, literals: Literals) -> None:
        self._literals = literals.texts
        self._all = literals.machine
        self._left = self._all
        self._ids = list(range(len(self._literals)))
        self.dropped: set[int] = set()

    def find(self, data: bytes, *, everything: bool) -> list[tuple[int, int, int]]:
        """(literal, start, end) in the order of their ends; `everything` brings those too that were left out."""
        if not self._literals:
            return []
        if everything or not self.dropped:
            return self._all.find_matches_as_indexes(data, overlapping=True)
        ids = self._ids
        return [(ids[i], a, b) for i, a, b in self._left.find_matches_as_indexes(data, overlapping=True)]

    def drop(self, literals: Set[int]) -> None:
        """Leave these out from now on."""
        self.dropped |= literals
        self._ids = [i for i in range(len(self._literals)) if i not in self.dropped]
        self._left = _build([self._literals[i] for i in self._ids])


def _build(literals: Sequence[bytes]) -> ahocorasick_rs.BytesAhoCorasick:
    return ahocorasick_rs.BytesAhoCorasick(list(literals), implementation=ahocorasick_rs.Implementation.DFA)
