"""Every collective, type and size; every element compared."""

from __future__ import annotations

from functools import partial
from typing import Callable, Sequence

from .channel import Channel
from .collectives import Collective, Collectives
from .opaque import Tensor
from .patterns import Patterns

ELEMENT_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}


class Correctness:
    """The checks of one rank. A rank that finds wrong data goes on: the others would wait for it."""

    def __init__(self, collectives: Collectives, patterns: Patterns, channel: Channel, rank: int) -> None:
        self._collectives = collectives
        self._patterns = patterns
        self._channel = channel
        self._rank = rank

    def run(self, ops: Sequence[str], dtypes: Sequence[str], sizes: Sequence[int]) -> None:
        """All of them; the data changes each round."""
        number = 0
        for op in ops:
            for dtype in dtypes:
                for size in sizes:
                    for variant, collective in self._collectives.variants(op):
                        number += 1
                        words = " ".join(part for part in (op, dtype, variant) if part)
                        self._channel.tell("step", step="%s, %d bytes" % (words, size))
                        self._check(collective, op, variant, dtype, size, number)
        self._patterns.forget()

    def _check(self, collective: Collective, op: str, variant: str, dtype: str, size: int, number: int) -> None:
        for data, start, expected in collective(max(1, size // ELEMENT_BYTES[dtype]), dtype, number):
            old = partial(self._before, expected, dtype, number)
            found = self._patterns.compare(data, expected(number), old)
            if found:
                self._channel.tell(
                    "wrong",
                    op=op,
                    variant=variant,
                    dtype=dtype,
                    bytes=size,
                    round=number,
                    offset=start + found.first,
                    count=found.elements,
                    elements=data.numel(),
                    kind=found.kind,
                )

    def _before(self, expected: Callable[[int], Tensor], dtype: str, number: int) -> list[Tensor]:
        """What is found where nothing was written: the round before, or this rank's own data."""
        return [expected(number - 1), self._patterns.of_rank(dtype, self._rank)(number)]


def sizes_up_to(largest: int) -> list[int]:
    """Message sizes in bytes: one element, then by four from 4 KiB, with the largest itself."""
    sizes = [4]
    size = 4096
    while size < largest:
        sizes.append(size)
        size *= 4
    return [*sizes, largest] if largest > 4 else sizes
