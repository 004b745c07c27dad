"""A tensor of a checkpoint as its header describes it: no weights are ever read."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

Read = Callable[[int, int], bytes]  # offset, size → at most that many bytes

MAX_TENSORS = 500_000  # the largest published checkpoint has about 200,000
MAX_NAME = 512
MAX_DIMENSIONS = 8
MAX_BYTES = 1 << 50  # of one tensor or file: a pebibyte


class CheckpointError(ValueError):
    """The file is none of its kind, is broken, or is larger than any real one; the text says what and where."""


class Tensor(Struct, frozen=True):
    """`kind` is the name of the type in the format's own spelling (BF16, Q4_K); `bytes` is what it takes in the file.

    `shape` is outermost dimension first, as safetensors and torch have it, for GGUF too.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    bytes: int


def count(shape: tuple[int, ...]) -> int:
    """Elements of a shape. Raises CheckpointError where no file could hold them."""
    if len(shape) > MAX_DIMENSIONS:
        raise CheckpointError(f"a tensor has {len(shape)} dimensions")
    elements = 1
    for size in shape:
        if size < 0 or size > MAX_BYTES:
            raise CheckpointError(f"a tensor has a dimension of {size}")
        elements *= size
    if elements > 2 * MAX_BYTES:  # of half a byte each
        raise CheckpointError("a tensor has more elements than any file could hold")
    return elements
