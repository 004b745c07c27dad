"""Consistent stand-ins within one bundle: equality and order of first appearance survive, the values do not."""

from __future__ import annotations

from collections.abc import Callable


class Pseudonyms:
    """A private map from what was found to what is written; it is never stored."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def of(self, kind: str, value: str, make: Callable[[int], str]) -> str:
        """The stand-in of `value`, made from its number among those of its kind."""
        key = (kind, value.lower())
        if key not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[key] = make(self._counts[kind])
        return self._given[key]

    @property
    def replaced(self) -> int:
        """Distinct values that were replaced."""
        return len(self._given)
