"""PyTorch's allocator by hand."""

from __future__ import annotations

import pytest

from gpudoctor.fit.allocator import MIB, CachingAllocator


@pytest.mark.parametrize(
    ("sizes", "allocated", "reserved"),
    [
        ([1], 512, 2 * MIB),
        ([512, 513], 512 + 1024, 2 * MIB),
        ([MIB, MIB], 2 * MIB, 2 * MIB),
        ([2 * MIB], 2 * MIB, 20 * MIB),
        ([2 * MIB] * 10, 20 * MIB, 20 * MIB),
        ([2 * MIB] * 11, 22 * MIB, 40 * MIB),
        ([24 * MIB], 24 * MIB, 24 * MIB),
        ([25 * MIB], 26 * MIB, 26 * MIB),  # one MiB is left, and that is not given back
        ([24 * MIB + MIB // 2], 24 * MIB + MIB // 2, 26 * MIB),  # one and a half are
        ([24 * MIB + MIB // 2, MIB + MIB // 2], 26 * MIB, 26 * MIB),
        ([0], 0, 0),
    ],
)
def test_what_is_counted(sizes: list[int], allocated: int, reserved: int) -> None:
    allocator = CachingAllocator()
    for size in sizes:
        allocator.take(size)
    assert (allocator.allocated, allocator.reserved) == (allocated, reserved)
