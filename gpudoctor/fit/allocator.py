"""PyTorch's caching allocator, as far as it decides how much memory a set of tensors takes.

Tensors up to 1 MiB come from blocks of 2 MiB, larger ones from blocks of 20 MiB, those from 10 MiB on from their own
block rounded up to 2 MiB. What is left of a large block is given back only where it is more than 1 MiB, and counts as
allocated otherwise: a 7 B model pays 56 MiB for that. Source: c10/cuda/CUDACachingAllocator.cpp, 2.1 to 2.9.
"""

from __future__ import annotations

from bisect import bisect_left, insort

MIB = 1 << 20
_ROUND = 512
_SMALL_BLOCK = 2 * MIB
_LARGE_BLOCK = 20 * MIB
_OWN_BLOCK_FROM = 10 * MIB


class CachingAllocator:
    """Counts; holds no memory. `allocated` is what torch reports, `reserved` what the driver sees gone."""

    def __init__(self) -> None:
        self.allocated = 0
        self.reserved = 0
        self._small: list[int] = []  # free rests, in order of their size
        self._large: list[int] = []

    def take(self, size: int) -> None:
        """Allocate one tensor of `size` bytes."""
        if size <= 0:
            return
        size = -(-size // _ROUND) * _ROUND
        small = size <= MIB
        free = self._small if small else self._large
        at = bisect_left(free, size)
        block = free.pop(at) if at < len(free) else self._reserve(size)
        rest = block - size
        if rest >= (_ROUND if small else MIB + 1):
            insort(free, rest)
            block = size
        self.allocated += block

    def _reserve(self, size: int) -> int:
        if size <= MIB:
            block = _SMALL_BLOCK
        elif size < _OWN_BLOCK_FROM:
            block = _LARGE_BLOCK
        else:
            block = -(-size // _SMALL_BLOCK) * _SMALL_BLOCK
        self.reserved += block
        return block
