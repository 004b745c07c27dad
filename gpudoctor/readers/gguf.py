"""The head of a GGUF file: metadata and tensor table, without the weights.

Format: docs/gguf.md of https://github.com/ggml-org/ggml, versions 1 (32-bit lengths), 2 and 3 (also big-endian).
Vocabularies are passed over: only their length is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gpudoctor.readers._gguf_stream import ARRAY, STRING, Stream
from gpudoctor.readers.ggml_types import FILE_TYPES, TYPES
from gpudoctor.readers.tensor import MAX_DIMENSIONS, MAX_TENSORS, CheckpointError, Read, Tensor, count

_MAGIC: Final = b"GGUF"
_MAX_KEYS: Final = 2000
_MAX_ITEMS: Final = 1 << 24  # of an array
_KEPT_ITEMS: Final = 1024  # numbers for each layer are kept, vocabularies are not
_MAX_TEXT: Final = 1 << 20  # chat templates are long

Scalar = int | float | bool | str


class Items(Struct, frozen=True):
    """An array: its length, and its numbers where there are few."""

    length: int
    numbers: tuple[int | float | bool, ...] = ()


class Gguf(Struct, frozen=True):
    """One file. `values` has the metadata by the file's own keys; the methods look below the architecture's prefix."""

    version: int
    values: Mapping[str, Scalar | Items]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        """Such as llama, qwen3moe, deepseek2; "" where the file does not say."""
        return self.text("general.architecture")

    @property
    def mixture(self) -> str | None:
        """The name of the mixture of types, such as Q4_K_M."""
        value = self.values.get("general.file_type")
        return FILE_TYPES.get(value & 1023) if isinstance(value, int) else None

    def text(self, key: str) -> str:
        """A text by its whole key; "" where there is none."""
        value = self.values.get(key)
        return value[:200] if isinstance(value, str) else ""

    def whole(self, key: str) -> int | None:
        """A number by its whole key."""
        return _number(self.values.get(key))

    def number(self, *keys: str) -> int | None:
        """A positive number by its key below the architecture: the first that is there."""
        for key in keys:
            value = _number(self.values.get(f"{self.architecture}.{key}"))
            if value is not None:
                return value
        return None

    def each(self, key: str, layers: int) -> tuple[int, ...] | None:
        """A number for each layer: an array of them, or one that holds for all."""
        value = self.values.get(f"{self.architecture}.{key}")
        if isinstance(value, Items):
            numbers = tuple(int(n) for n in value.numbers)
            return numbers[:layers] if len(numbers) >= layers else None
        return (value,) * layers if isinstance(value, int) and 0 <= value <= 1 << 31 else None

    def length(self, key: str) -> int | None:
        """The length of an array by its whole key."""
        value = self.values.get(key)
        return value.length if isinstance(value, Items) else None


def _number(value: Scalar | Items | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1 << 31 else None


def read_gguf(read: Read, file_bytes: int) -> Gguf:
    """Metadata and tensors of a file of `file_bytes` bytes. Raises CheckpointError; what `read` raises passes."""
    head = read(0, 8)
    if head[:4] != _MAGIC:
        raise CheckpointError("is no GGUF file: it does not begin with GGUF")
    if len(head) < 8:
        raise CheckpointError("ends within its header")
    order, version = _version(head[4:])
    stream = Stream(read, file_bytes, order, version)
    tensors = stream.length(MAX_TENSORS, "tensors")
    keys = stream.length(_MAX_KEYS, "metadata entries")
    values: dict[str, Scalar | Items] = {}
    for _ in range(keys):
        name = stream.text()
        values[name] = _value(stream, stream.unsigned())
    table = [_tensor(stream, version) for _ in range(tensors)]
    alignment = values.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
        raise CheckpointError(f"asks for an impossible alignment of {ascii(alignment)[:40]}")
    start = -(-stream.at // alignment) * alignment
    _check_extent(table, file_bytes - start)
    return Gguf(version, values, tuple(tensor for tensor, _ in table))


def _version(raw: bytes) -> tuple[str, int]:
    for order in "<>":
        version: int = struct.unpack(order + "I", raw)[0]
        if 1 <= version <= 3:
            return order, version
    raise CheckpointError(f"is of GGUF version {struct.unpack('<I', raw)[0]}; versions 1 to 3 are known")


def _value(stream: Stream, kind: int) -> Scalar | Items:
    if kind == STRING:
        return stream.text(_MAX_TEXT)
    if kind != ARRAY:
        return stream.scalar(kind)
    inner = stream.unsigned()
    length = stream.length(_MAX_ITEMS, "items in an array")
    if inner == STRING:
        stream.skip_strings(length)
        return Items(length)
    if inner == ARRAY:  # llama.cpp refuses them too
        raise CheckpointError("has arrays within arrays")
    if length > _KEPT_ITEMS:
        stream.skip_scalars(inner, length)
        return Items(length)
    return Items(length, stream.scalars(inner, length))


def _tensor(stream: Stream, version: int) -> tuple[Tensor, int]:
    """A line of the tensor table, and its offset in the data."""
    name = stream.text()
    dimensions = stream.unsigned()
    if dimensions > MAX_DIMENSIONS:
        raise CheckpointError(f"is broken: {name[:80]!a} has {dimensions} dimensions")
    sizes = [stream.unsigned() if version == 1 else _wide(stream) for _ in range(dimensions)]
    kind = TYPES.get(number := stream.unsigned())
    if kind is None:
        raise CheckpointError(f"has a tensor, {name[:80]!a}, of the unknown type {number}")
    offset = _wide(stream)
    elements = count(tuple(sizes))
    if sizes and sizes[0] % kind.block:
        raise CheckpointError(f"is broken: a row of {name[:80]!a} is no whole number of {kind.name} blocks")
    shape = tuple(reversed(sizes))  # the file has the innermost dimension first
    return Tensor(name, kind.name, shape, elements // kind.block * kind.bytes), offset


def _wide(stream: Stream) -> int:
    return int(stream.scalar(10))


def _check_extent(table: list[tuple[Tensor, int]], data_bytes: int) -> None:
    end = 0
    for tensor, offset in sorted(table, key=lambda item: (item[1], item[0].bytes)):
        if offset < end:
            raise CheckpointError(f"is broken: {tensor.name[:80]!a} overlaps the tensor before it")
        end = offset + tensor.bytes
    if end > data_bytes:
        raise CheckpointError(f"is cut off: {max(0, data_bytes)} of {end} bytes of weights are there")
