"""The hits of one signature that are worth keeping: the first, the first of each rank, the last."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from gpudoctor.logs.stamps import seconds

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
    carrier: str  # what the carrier of the line calls the node
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

    def wants(self, rank: int) -> bool:
        """Whether a hit of this rank would stay for good, so that its time is worth looking for."""
        return len(self.first) < FIRST or (rank >= 0 and rank not in self.ranks and len(self.ranks) < RANKS)

    def add(self, hit: RawHit) -> None:
        """Count it, and keep it where it tells something new."""
        self.count += 1
        if not self.wants(hit.rank):
            self.last.append(hit)
            return
        if len(self.first) < FIRST:
            self.first.append(hit)
        if hit.rank >= 0 and len(self.ranks) < RANKS:
            self.ranks.setdefault(hit.rank, hit)

    def hits(self) -> list[RawHit]:
        """All that were kept, once each."""
        last = [replace(hit, seconds=seconds(hit.text)) if hit.seconds is None else hit for hit in self.last]
        found = {(hit.file, hit.line, hit.text): hit for hit in (*self.first, *self.ranks.values(), *last)}
        return list(found.values())
