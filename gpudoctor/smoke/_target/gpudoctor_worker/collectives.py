"""Each collective, and what must be in its result."""

from __future__ import annotations

from typing import Callable, List, NamedTuple

from .opaque import Dist, Tensor
from .patterns import Patterns


class Part(NamedTuple):
    """A piece of a result: where it begins in the whole, and one period of what must be in it, by round."""

    data: Tensor
    start: int
    expected: Callable[[int], Tensor]


# count of elements of the whole message, type, round
Collective = Callable[[int, str, int], List[Part]]


class Collectives:
    """The collectives of one rank. Each method runs one and returns what it wrote."""

    def __init__(self, dist: Dist, patterns: Patterns, rank: int, world: int) -> None:
        self._dist = dist
        self._patterns = patterns
        self._rank = rank
        self._world = world

    def variants(self, op: str) -> list[tuple[str, Collective]]:
        """The ways to run a collective that are checked, by the words that tell them apart."""
        if op == "all_reduce":
            return [("in place", self.all_reduce), ("out of place", self.all_reduce_apart)]
        method: Collective = getattr(self, op)
        return [("", method), ("", method)]

    def all_reduce(self, count: int, dtype: str, number: int) -> list[Part]:
        """Sum over the ranks, in place."""
        out = self._mine(count, dtype, number)
        self._dist.all_reduce(out)
        return [Part(out, 0, self._patterns.sum(dtype))]

    def all_reduce_apart(self, count: int, dtype: str, number: int) -> list[Part]:
        """Sum in a buffer of its own, as frameworks do it with torch: what is summed up must stay as it was."""
        data = self._mine(count, dtype, number)
        out = data.clone()
        self._dist.all_reduce(out)
        own = self._patterns.of_rank(dtype, self._rank)
        return [Part(out, 0, self._patterns.sum(dtype)), Part(data, 0, own)]

    def all_gather(self, count: int, dtype: str, number: int) -> list[Part]:
        """Every rank's part on every rank."""
        part = self._part(count)
        mine = self._mine(part, dtype, number)
        parts = [self._patterns.empty(part, dtype) for _ in range(self._world)]
        self._dist.all_gather(parts, mine)
        return [Part(out, rank * part, self._patterns.of_rank(dtype, rank)) for rank, out in enumerate(parts)]

    def reduce_scatter(self, count: int, dtype: str, number: int) -> list[Part]:
        """This rank's part of the sum."""
        part = self._part(count)
        data = self._mine(part * self._world, dtype, number)
        out = self._patterns.empty(part, dtype)
        self._dist.reduce_scatter(out, list(data.chunk(self._world)))
        return [Part(out, 0, self._patterns.sum(dtype, self._rank * part))]

    def broadcast(self, count: int, dtype: str, number: int) -> list[Part]:
        """The data of a root that changes each round, in place."""
        root = number % self._world
        out = self._patterns.empty(count, dtype).zero_()
        if self._rank == root:
            self._patterns.fill(out, dtype, number)
        self._dist.broadcast(out, root)
        return [Part(out, 0, lambda k: self._patterns.of_rank(dtype, k % self._world)(k))]

    def all_to_all(self, count: int, dtype: str, number: int) -> list[Part]:
        """This rank's part of every rank's data."""
        part = self._part(count)
        data = self._mine(part * self._world, dtype, number)
        out = self._patterns.empty(part * self._world, dtype)
        self._dist.all_to_all_single(out, data)
        offset = self._rank * part
        pieces = enumerate(out.chunk(self._world))
        return [Part(piece, rank * part, self._patterns.of_rank(dtype, rank, offset)) for rank, piece in pieces]

    def _mine(self, count: int, dtype: str, number: int) -> Tensor:
        out = self._patterns.empty(count, dtype)
        self._patterns.fill(out, dtype, number)
        return out

    def _part(self, count: int) -> int:
        return max(1, count // self._world)
