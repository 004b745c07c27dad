"""The primitive values of a GGUF file, read in order through a window, each bounded."""

from __future__ import annotations

import struct
from typing import Final

from gpudoctor.readers.tensor import CheckpointError, Read

MAX_HEADER_BYTES: Final = 128 << 20  # metadata and tensor table; vocabularies of 262,144 tokens take about 16 MiB
_WINDOW: Final = 1 << 20
_FORMATS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING: Final = 8
ARRAY: Final = 9


class Stream:
    """`order` is "<" or ">"; in version 1 lengths have 32 bits."""

    def __init__(self, read: Read, file_bytes: int, order: str, version: int) -> None:
        self._read = read
        self._file_bytes = file_bytes
        self._order = order
        self._length = struct.Struct(order + ("I" if version == 1 else "Q"))
        self._window = b""
        self._start = 0
        self.at = 8  # behind magic and version

    def scalar(self, kind: int) -> int | float | bool:
        """A value of one of the fixed-size types. Raises CheckpointError."""
        return self.scalars(kind, 1)[0]

    def scalars(self, kind: int, number: int) -> tuple[int | float | bool, ...]:
        """Several values of one type."""
        code = self._code(kind)
        form = struct.Struct(f"{self._order}{number}{code}")
        return form.unpack(self.take(form.size))

    def skip_scalars(self, kind: int, number: int) -> None:
        """Pass over values of one type."""
        self.skip(number * struct.calcsize(f"={self._code(kind)}"))

    def unsigned(self) -> int:
        """32 bits."""
        return int(self.scalar(4))

    def length(self, limit: int, what: str) -> int:
        """A length or number of things. Raises CheckpointError above `limit`."""
        value: int = self._length.unpack(self.take(self._length.size))[0]
        if value > limit:
            raise CheckpointError(f"says that it has {value} {what}; at most {limit} are believed")
        return value

    def text(self, limit: int = 1 << 16) -> str:
        """A string, decoded with replacement."""
        return self.take(self.length(limit, "bytes in a name")).decode("utf-8", "replace")

    def take(self, size: int) -> bytes:
        """The next bytes. Raises CheckpointError at the end of the file or behind the largest header."""
        start = self.at - self._start
        if start + size > len(self._window):
            self._fill(size)
            start = 0
        self.at += size
        return self._window[start : start + size]

    def skip(self, size: int) -> None:
        """Pass over bytes without reading them. Raises CheckpointError as `take` does."""
        self._check(size)
        self.at += size

    def skip_strings(self, number: int) -> None:
        """Pass over strings: vocabularies have hundreds of thousands, so this is the one loop that has to be quick."""
        unpack, width = self._length.unpack_from, self._length.size
        window, at, end = self._window, self.at - self._start, len(self._window)
        for _ in range(number):
            if at + width > end:
                self.at = self._start + at
                self._fill(width)
                window, at, end = self._window, 0, len(self._window)
            size = unpack(window, at)[0]
            at += width + size
            if at > end:  # the rest of this string lies behind the window
                self.at = self._start + at - size
                self.skip(size)
                self._fill(0)
                window, at, end = self._window, 0, len(self._window)
        self.at = self._start + at

    def _code(self, kind: int) -> str:
        code = _FORMATS.get(kind)
        if code is None:
            raise CheckpointError(f"has metadata of the unknown type {kind}")
        return code

    def _fill(self, size: int) -> None:
        self._check(size)
        self._window = self._read(self.at, max(size, _WINDOW))
        self._start = self.at
        if len(self._window) < size:
            raise CheckpointError("ends within its header")

    def _check(self, size: int) -> None:
        if self.at + size > self._file_bytes:
            raise CheckpointError("ends within its header")
        if self.at + size > MAX_HEADER_BYTES:
            raise CheckpointError(f"has a header of more than {MAX_HEADER_BYTES >> 20} MiB")
