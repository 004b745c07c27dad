"""The dynamic section of an ELF file: what it needs, and where it tells the loader to look.

Read piecemeal, because libraries of torch have a gigabyte. Source: System V ABI, chapters 4 and 5; elf(5).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from msgspec import Struct

Read = Callable[[int, int], bytes]  # offset, size → at most that many bytes

_HEADER_BYTES = 64
_SEGMENT = "IIQQQQQQ"  # type, flags, offset, address, physical address, size in file, in memory, alignment
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 10, 14, 15, 29
_MAX_SEGMENTS = 256
_MAX_DYNAMIC_BYTES = 1 << 16
_MAX_STRING_BYTES = 1 << 14


class ElfError(ValueError):
    """Not an ELF file, not a 64-bit one, or a broken one."""


class ElfKind(Struct, frozen=True):
    """What must agree for the loader to take a library: 32 or 64 bits, and the machine (62 is x86-64)."""

    bits: int
    machine: int


class Dynamic(Struct, frozen=True):
    """What the loader reads. `rpath` beats LD_LIBRARY_PATH, `runpath` does not and makes `rpath` void."""

    kind: ElfKind
    soname: str
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]


class _Segment(Struct, frozen=True):
    type: int
    offset: int
    address: int
    size: int


def read_kind(read: Read) -> ElfKind:
    """Raises ElfError."""
    return _kind(read(0, _HEADER_BYTES))[0]


def read_dynamic(read: Read) -> Dynamic:
    """Raises ElfError; what `read` raises passes through."""
    header = read(0, _HEADER_BYTES)
    kind, order = _kind(header)
    if kind.bits != 64 or len(header) < _HEADER_BYTES:
        raise ElfError("not a 64-bit ELF file")
    segments = list(_segments(read, header, order))
    tags = list(_tags(read, segments, order))
    numbers = dict(tags)
    base = _offset_of(numbers.get(_DT_STRTAB, 0), segments)
    size = numbers.get(_DT_STRSZ, 0)

    def texts(tag: int) -> list[str]:
        return [_string(read, base, size, value) for kind, value in tags if kind == tag]

    def folders(tag: int) -> tuple[str, ...]:
        return tuple(folder for text in texts(tag) for folder in text.split(":") if folder)

    soname = (*texts(_DT_SONAME), "")[0]
    return Dynamic(kind, soname, tuple(texts(_DT_NEEDED)), folders(_DT_RPATH), folders(_DT_RUNPATH))


def _kind(header: bytes) -> tuple[ElfKind, str]:
    if len(header) < 20 or header[:4] != b"\x7fELF":
        raise ElfError("not an ELF file")
    bits = {1: 32, 2: 64}.get(header[4])
    order = {1: "<", 2: ">"}.get(header[5])
    if bits is None or order is None:
        raise ElfError("neither 32 nor 64 bits")
    return ElfKind(bits, struct.unpack_from(order + "H", header, 18)[0]), order


def _segments(read: Read, header: bytes, order: str) -> Iterator[_Segment]:
    (table,) = struct.unpack_from(order + "Q", header, 32)
    entry_bytes, count = struct.unpack_from(order + "HH", header, 54)
    layout = struct.Struct(order + _SEGMENT)
    if entry_bytes < layout.size or count > _MAX_SEGMENTS:
        raise ElfError("a strange table of segments")
    data = read(table, entry_bytes * count)
    for at in range(0, len(data) - layout.size + 1, entry_bytes):
        kind, _, offset, address, _, size, _, _ = layout.unpack_from(data, at)
        yield _Segment(kind, offset, address, size)


def _tags(read: Read, segments: list[_Segment], order: str) -> Iterator[tuple[int, int]]:
    dynamic = next((segment for segment in segments if segment.type == _PT_DYNAMIC), None)
    if dynamic is None:
        return
    data = read(dynamic.offset, min(dynamic.size, _MAX_DYNAMIC_BYTES))
    pair = struct.Struct(order + "qQ")
    for tag, value in pair.iter_unpack(data[: len(data) // pair.size * pair.size]):
        if tag == 0:
            return
        yield tag, value


def _offset_of(address: int, segments: list[_Segment]) -> int:
    for segment in segments:
        if segment.type == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    return address


def _string(read: Read, base: int, size: int, index: int) -> str:
    if index >= size:
        raise ElfError("a name outside the table of strings")
    return read(base + index, min(_MAX_STRING_BYTES, size - index)).split(b"\0", 1)[0].decode("utf-8", "replace")
