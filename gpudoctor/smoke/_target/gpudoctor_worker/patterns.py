"""The data: different by rank and round, exact in every type, and never right by chance in a wrong place."""

from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

from .opaque import Device, Tensor, Torch

# A prime: no power of two is a multiple of it, so data that lands in the wrong chunk never looks right.
PERIOD = 1009
_RANK_SHIFT, _ROUND_SHIFT = 101, 313
# Largest integer up to which every integer, and so every partial sum, is exact in the type.
_EXACT = {"fp32": 1 << 20, "fp16": 2048, "bf16": 256}


class Wrong(NamedTuple):
    """Wrong elements of a result: the first, how many, and what they look like (zeros, stale, noise)."""

    first: int
    elements: int
    kind: str


class Patterns:
    """The data of every rank and round, as one period of a table."""

    def __init__(self, torch: Torch, device: Device, rank: int, world: int) -> None:
        self._torch = torch
        self._device = device
        self._rank = rank
        self._world = world
        self._kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        self._tables: dict[str, Tensor] = {}
        self._bases: dict[str, Tensor] = {}

    def empty(self, count: int, dtype: str) -> Tensor:
        """A tensor on this rank's device."""
        return self._torch.empty(count, dtype=self._kinds[dtype], device=self._device)

    def fill(self, out: Tensor, dtype: str, number: int) -> None:
        """Put the data of this rank in round `number` into `out`."""
        base = self._bases.get(dtype)
        if base is None or base.numel() < out.numel() + PERIOD:
            base = self._bases[dtype] = self._table(dtype).repeat(out.numel() // PERIOD + 2)
        start = _shift(self._rank, number)
        out.copy_(base[start : start + out.numel()])

    def of_rank(self, dtype: str, rank: int, offset: int = 0) -> Callable[[int], Tensor]:
        """What `rank` holds from element `offset` on, by round: one period."""
        return lambda number: self._torch.roll(self._table(dtype), -_shift(rank, number, offset))

    def sum(self, dtype: str, offset: int = 0) -> Callable[[int], Tensor]:
        """The sum over all ranks, by round: every partial sum is exact, so the order does not matter."""

        def total(number: int) -> Tensor:
            out = self._torch.zeros_like(self._table(dtype))
            for rank in range(self._world):
                out += self.of_rank(dtype, rank, offset)(number)
            return out

        return total

    def compare(self, got: Tensor, expected: Tensor, before: Callable[[], Sequence[Tensor]]) -> Wrong | None:
        """Compare every element with the periodic `expected`; None where all are right.

        `before` gives, as periods, what may have been in memory before the collective wrote to it.
        """
        torch = self._torch
        whole = got.numel() // PERIOD * PERIOD
        head, tail = got[:whole].view(-1, PERIOD), got[whole:]
        if bool(torch.eq(head, expected).all()) and bool(torch.eq(tail, expected[: tail.numel()]).all()):
            return None
        wrong = torch.cat([head.ne(expected).flatten(), tail.ne(expected[: tail.numel()])]).nonzero().flatten()
        return _describe(wrong, got[wrong], [old[wrong % PERIOD] for old in before()])

    def forget(self) -> None:
        """Give back the memory of the largest message."""
        self._bases.clear()

    def _table(self, dtype: str) -> Tensor:
        """One period of whole numbers, at most _EXACT divided by the ranks, never 0."""
        if dtype not in self._tables:
            values = max(1, _EXACT[dtype] // self._world)
            positions = self._torch.arange(PERIOD, dtype=self._torch.int64)
            numbers = (positions * positions * 7919 + positions * 104729 + 12345) % 65521 % values + 1
            self._tables[dtype] = numbers.to(self._kinds[dtype]).to(self._device)
        return self._tables[dtype]


def _shift(rank: int, number: int, offset: int = 0) -> int:
    """Where in the period a rank's data of a round begins."""
    return (rank * _RANK_SHIFT + number * _ROUND_SHIFT + offset) % PERIOD


def find_wrong(torch: Torch, got: Tensor, expected: Tensor, before: Tensor) -> Wrong | None:
    """Compare every element with one that is as long; `before` is what may have been there before."""
    if bool(torch.eq(got, expected).all()):
        return None
    wrong = got.ne(expected).nonzero().flatten()
    return _describe(wrong, got[wrong], [before[wrong]])


def _describe(places: Tensor, values: Tensor, before: list[Tensor]) -> Wrong:
    if bool((values == 0).all()):
        kind = "zeros"
    else:
        kind = "stale" if any(bool((values == old).all()) for old in before) else "noise"
    return Wrong(int(places[0]), int(places.numel()), kind)
