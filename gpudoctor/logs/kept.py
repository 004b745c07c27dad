"""The hits of one signature that are worth keeping: the first, the first of each rank, the last."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct, field

FIRST: Final = 32
RANKS: Final = 128
LAST: Final = 4


class RawHit(Struct, frozen=True):
    """A hit before its place among those of other files is known. rank -1 and node "" are not known."""

    file: str
    line: int
    text: str
    rank: int
    node: str
    seconds: float | None
    captures: dict[str, str]


def _last() -> deque[RawHit]:
    return deque(maxlen=LAST)


class Kept(Struct):
    """Memory does not grow with the log."""

    count: int = 0
    first: list[RawHit] = field(default_factory=list)
    ranks: dict[int, RawHit] = field(default_factory=dict)
    last: deque[RawHit] = field(default_factory=_last)

    def add(self, hit: RawHit) -> None:
        """Count it, and keep it where it tells something new."""
        self.count += 1
        if len(self.first) < FIRST:
            self.first.append(hit)
        elif hit.rank >= 0 and hit.rank not in self.ranks and len(self.ranks) < RANKS:
            self.ranks[hit.rank] = hit
        else:
            self.last.append(hit)
        if hit.rank >= 0 and len(self.ranks) < RANKS:
            self.ranks.setdefault(hit.rank, hit)

    def hits(self) -> list[RawHit]:
        """All that were kept, once each."""
        found = {(hit.file, hit.line, hit.text): hit for hit in (*self.first, *self.ranks.values(), *self.last)}
        return list(found.values())
