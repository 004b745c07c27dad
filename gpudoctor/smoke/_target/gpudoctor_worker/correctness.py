"""Every collective, type and size; every element compared."""

from __future__ import annotations

import re
from functools import partial
from typing import Callable, Sequence

from .channel import Channel
from .collectives import Collective, Collectives
from .opaque import Tensor
from .patterns import Patterns

_MISSING = re.compile(r"does not support|not implemented|not supported|unsupported", re.IGNORECASE)
_ERROR_CHARS = 300
ELEMENT_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}


class Correctness:
    """The checks of one rank. A rank that finds wrong data goes on: the others would wait for it."""

    def __init__(self, collectives: Collectives, patterns: Patterns, channel: Channel, rank: int) -> None:
        self._collectives = collectives
        self._patterns = patterns
        self._channel = channel
        self._rank = rank
        self._number = 0  # of rounds so far

    def run(self, ops: Sequence[str], dtypes: Sequence[str], sizes: Sequence[int]) -> list[str]:
        """All of them; the data changes each round. Returns the collectives that this torch has."""
        return [op for op in ops if self._is_there(op) and self._run(op, dtypes, sizes)]

    def _is_there(self, op: str) -> bool:
        """Older releases of torch lack some collectives with gloo; all ranks find that out alike."""
        _, collective = self._collectives.variants(op)[0]
        self._channel.tell("step", step="%s, tried" % op)
        try:
            collective(1, "fp32", 0)
        except (RuntimeError, NotImplementedError) as error:
            if not _MISSING.search(str(error)):
                raise
            self._channel.tell("op_left_out", op=op, text=str(error)[:_ERROR_CHARS])
            return False
        return True

    def _run(self, op: str, dtypes: Sequence[str], sizes: Sequence[int]) -> bool:
        for dtype in dtypes:
            for size in sizes:
                for variant, collective in self._collectives.variants(op):
                    self._number += 1
                    words = " ".join(part for part in (op, dtype, variant) if part)
                    self._channel.tell("step", step="%s, %d bytes" % (words, size))
                    self._check(collective, op, variant, dtype, size, self._number)
        self._patterns.forget()
        return True

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


def sizes_up_to(largest: int, more: Sequence[int] = ()) -> list[int]:
    """Message sizes in bytes: one element, then by four from 4 KiB, with the largest itself, and those of `more`."""
    sizes = {4, largest}
    size = 4096
    while size < largest:
        sizes.add(size)
        size *= 4
    return sorted(size for size in sizes.union(more) if 4 <= size <= max(4, largest))
