"""Checkpoints written by the real libraries, and files as readers get them: a function that reads, and a size."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from math import prod
from pathlib import Path

import pytest

from gpudoctor.readers.tensor import Read

BYTES = {
    "bfloat16": 2, "float16": 2, "float32": 4, "float8_e4m3fn": 1, "float8_e8m0fnu": 1, "int8": 1, "uint8": 1,
    "int16": 2, "int32": 4, "int64": 8,
}  # fmt: skip


def reader(data: bytes) -> tuple[Read, int]:
    """As the host door reads: at most so many bytes from an offset."""

    def read(offset: int, size: int) -> bytes:
        assert offset >= 0
        assert size >= 0
        return data[offset : offset + size]

    return read, len(data)


def write_safetensors(path: Path, tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> int:
    """Tensors of zeros by name, type and shape, written by the library itself; the bytes of the weights."""
    safetensors = pytest.importorskip("safetensors", minversion="0.8")
    buffers, specs, total = [], {}, 0
    for name, (kind, shape) in tensors.items():
        size = prod(shape) * BYTES[kind]
        buffers.append(buffer := ctypes.create_string_buffer(max(1, size)))
        total += size
        specs[name] = safetensors.TensorSpec(
            dtype=kind, shape=list(shape), data_ptr=ctypes.addressof(buffer), data_len=size
        )
    safetensors.serialize_file(specs, path, {"format": "pt"})
    assert buffers
    return total
