"""Files as blocks of bytes: plain, .gz, .zst, UTF-16, standard input. Nothing is held but one block."""

from __future__ import annotations

import codecs
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final

from gpudoctor.errors import InputFileError

BLOCK: Final = 2 << 20
MAX_UNPACKED: Final = 64 << 30  # a bomb unpacks to anything; a real log of this size takes minutes, not hours
_STEP: Final = 16 << 10
_ZSTD_STEP: Final = 1 << 10
_ZSTD_WINDOW: Final = 1 << 27
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Source:
    """One input. `notes` are complete when `blocks` has ended."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.name = "stdin" if path is None else path.name
        self.notes: list[str] = []

    def blocks(self) -> Iterator[bytes]:
        """UTF-8 (or whatever it was, byte by byte) in blocks of about 2 MiB.

        Raises:
            InputFileError: it cannot be opened or read.
        """
        try:
            if self.path is None:
                yield from self._decoded(sys.stdin.buffer)
                return
            if self.path.is_dir():
                raise InputFileError(f"{self.path} is a folder", "name its files")
            with self.path.open("rb", buffering=0) as stream:
                yield from self._decoded(stream)
        except OSError as error:
            where = self.name if self.path is None else self.path
            raise InputFileError(f"{where} cannot be read: {error.strerror or error}", "check the path") from error

    def _decoded(self, stream: BinaryIO) -> Iterator[bytes]:
        first = stream.read(BLOCK) or b""
        if first.startswith(_GZIP):
            blocks = self._gunzip(first, stream)
        elif first.startswith(_ZSTD):
            blocks = self._unzstd(first, stream)
        else:
            blocks = _plain(first, stream)
        with closing(blocks):
            yield from self._utf8(blocks)

    def _utf8(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        start = next(blocks, b"")
        encoding = _utf16(start)
        if not encoding:
            yield start.removeprefix(codecs.BOM_UTF8)
            yield from blocks
            return
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        yield decoder.decode(start).removeprefix("\ufeff").encode("utf-8", "replace")
        for block in blocks:
            yield decoder.decode(block).encode("utf-8", "replace")

    def _gunzip(self, first: bytes, stream: BinaryIO) -> Generator[bytes, None, None]:
        """Members one after the other; what is broken ends the text, with a note."""
        unpacker = zlib.decompressobj(wbits=31)
        inside = False  # of a member
        given = 0
        for packed in _pieces(_plain(first, stream), _STEP):
            rest = packed
            while rest:
                inside = True
                try:
                    block = unpacker.decompress(rest, BLOCK)
                except zlib.error:
                    self.notes.append(f"{self.name}: the gzip data are damaged after {given} bytes of text")
                    return
                rest = unpacker.unconsumed_tail or unpacker.unused_data
                if unpacker.eof:
                    inside = False
                    unpacker = zlib.decompressobj(wbits=31)
                    rest = rest if rest.startswith(_GZIP) else b""
                given += len(block)
                if self._too_much(given):
                    return
                yield block
        if inside:
            self.notes.append(f"{self.name}: the gzip file ends too early; what is there was read")

    def _unzstd(self, first: bytes, stream: BinaryIO) -> Generator[bytes, None, None]:
        """Frames one after the other. A step is small, because one KiB can unpack to 32 MiB."""
        import zstandard

        unpackers = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        unpacker = unpackers.decompressobj()
        inside = False  # of a frame
        given, waiting = 0, bytearray()
        for piece in _pieces(_plain(first, stream), _ZSTD_STEP):
            rest = piece
            while rest:
                inside = True
                try:
                    waiting += unpacker.decompress(rest)
                except zstandard.ZstdError:
                    self.notes.append(
                        f"{self.name}: the zstd data are damaged after {given + len(waiting)} bytes of text"
                    )
                    yield from _cut(waiting)
                    return
                rest = unpacker.unused_data if unpacker.eof else b""
                if unpacker.eof:
                    inside, unpacker = False, unpackers.decompressobj()
            if len(waiting) >= BLOCK:
                given += len(waiting)
                yield from _cut(waiting)
                if self._too_much(given):
                    return
        if inside:
            self.notes.append(f"{self.name}: the zstd file ends too early; what is there was read")
        yield from _cut(waiting)

    def _too_much(self, given: int) -> bool:
        if given <= MAX_UNPACKED:
            return False
        self.notes.append(f"{self.name}: only the first {MAX_UNPACKED >> 30} GiB of unpacked text were read")
        return True


def _cut(waiting: bytearray) -> Iterator[bytes]:
    """What waits in blocks of the usual size; nothing waits afterwards."""
    for place in range(0, len(waiting), BLOCK):
        yield bytes(waiting[place : place + BLOCK])
    waiting.clear()


def _plain(first: bytes, stream: BinaryIO) -> Generator[bytes, None, None]:
    block = first
    while block:
        yield block
        block = stream.read(BLOCK) or b""


def _pieces(blocks: Iterator[bytes], step: int) -> Iterator[bytes]:
    """In small steps: what a step unpacks is lost where its end is damaged."""
    for block in blocks:
        for place in range(0, len(block), step):
            yield block[place : place + step]


def _utf16(start: bytes) -> str:
    """The encoding of UTF-16 text, with or without its mark; "" for anything else."""
    if start.startswith(_UTF16):
        return "utf-16-le" if start.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    sample = start[:4096]
    if len(sample) < 8:
        return ""
    half = len(sample) // 2
    if sample[1::2].count(0) > half * 0.9 and sample[0::2].count(0) < half * 0.1:
        return "utf-16-le"
    if sample[0::2].count(0) > half * 0.9 and sample[1::2].count(0) < half * 0.1:
        return "utf-16-be"
    return ""
