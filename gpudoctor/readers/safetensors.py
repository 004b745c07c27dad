"""The header of a safetensors file: names, types, shapes and sizes, without the weights.

Format: https://github.com/huggingface/safetensors (README, "Format"): eight bytes with the header's length, the header
as JSON, the data. What its own library refuses is refused here: gaps, overlaps, sizes that do not fit the shape, and
data that is not all there.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from gpudoctor.readers.tensor import MAX_BYTES, MAX_NAME, MAX_TENSORS, CheckpointError, Read, Tensor, count

MAX_HEADER_BYTES: Final = 64 << 20  # the library takes 100 MB; published shards have less than 1 MiB
_BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
    "C64": 64, "F64": 64, "U64": 64, "I64": 64,
}  # fmt: skip
_METADATA: Final = "__metadata__"


class _Entry(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def read_safetensors(read: Read, file_bytes: int) -> tuple[Tensor, ...]:
    """The tensors of a file of `file_bytes` bytes, in the order of their data.

    Raises CheckpointError; what `read` raises passes through.
    """
    first = read(0, 8)
    if len(first) < 8:
        raise CheckpointError("shorter than the eight bytes that a safetensors file begins with")
    length = struct.unpack("<Q", first)[0]
    if length > file_bytes - 8:
        raise CheckpointError(f"says that its header has {length} bytes, but the whole file has {file_bytes}")
    if length > MAX_HEADER_BYTES:
        raise CheckpointError(f"has a header of {length >> 20} MiB; real ones stay far below {MAX_HEADER_BYTES >> 20}")
    header = read(8, length)
    if len(header) < length or header[:1] != b"{":
        raise CheckpointError("has no header of JSON behind the first eight bytes")
    return _checked(_entries(header), file_bytes - 8 - length)


def _entries(header: bytes) -> list[tuple[str, _Entry]]:
    # A tensor takes at least 50 bytes: too many are refused before anything is built of them.
    if header.count(b'"data_offsets"') > MAX_TENSORS:
        raise CheckpointError(f"describes more than {MAX_TENSORS} tensors")
    try:
        raw = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        raw.pop(_METADATA, None)
        decode = msgspec.json.Decoder(_Entry).decode
        return [(name, decode(value)) for name, value in raw.items()]
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise CheckpointError(f"has a broken header: {str(error)[:160]}") from error


def _checked(entries: list[tuple[str, _Entry]], data_bytes: int) -> tuple[Tensor, ...]:
    entries.sort(key=lambda item: item[1].data_offsets)
    end = 0
    tensors: list[Tensor] = []
    for name, entry in entries:
        start, stop = entry.data_offsets
        size = _size(name, entry)
        if start != end:
            word = "overlaps the tensor before it" if start < end else "leaves a gap before it"
            raise CheckpointError(f"is broken: {_short(name)} {word}")
        if stop - start != size:
            raise CheckpointError(
                f"is broken: {_short(name)} of type {entry.dtype} and shape {list(entry.shape)} "
                f"takes {size} bytes, but {stop - start} are given to it"
            )
        end = stop
        tensors.append(Tensor(name[:MAX_NAME], entry.dtype, entry.shape, size))
    if end > data_bytes:
        raise CheckpointError(f"is cut off: {data_bytes} of {end} bytes of weights are there")
    if end < data_bytes:
        raise CheckpointError(f"has {data_bytes - end} bytes that belong to no tensor")
    return tuple(tensors)


def _size(name: str, entry: _Entry) -> int:
    bits = _BITS.get(entry.dtype)
    if bits is None:
        raise CheckpointError(f"has a tensor, {_short(name)}, of the unknown type {_short(entry.dtype)}")
    if not 0 <= entry.data_offsets[0] <= entry.data_offsets[1] <= MAX_BYTES:
        raise CheckpointError(f"is broken: {_short(name)} lies at impossible offsets")
    total = count(entry.shape) * bits
    if total % 8:
        raise CheckpointError(f"is broken: {_short(name)} does not fill whole bytes")
    return total // 8


def _short(name: str) -> str:
    return ascii(name[:80])
