"""What a command said: its beginning, where the first error stands, and its end; what lies between is left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from gpudoctor.errors import UsageError
from gpudoctor.logs.open import Source

HEAD: Final = 8 << 20
TAIL: Final = 24 << 20


class RunLog:
    """Bounded, in memory; `keep` gets everything as well."""

    def __init__(self, keep: Path | None = None) -> None:
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._left_out = 0
        self._file: BinaryIO | None = None
        if keep is not None:
            try:
                self._file = keep.open("wb", buffering=0)
            except OSError as error:
                raise UsageError(
                    f"{keep} cannot be written: {error.strerror or error}", "choose another --log"
                ) from error

    def add(self, data: bytes) -> None:
        """Take what was said."""
        if self._file is not None:
            self._keep(data)
        if len(self._head) < HEAD:
            self._head += data
            return
        self._tail.append(data)
        self._tail_bytes += len(data)
        while self._tail_bytes > TAIL:
            gone = len(self._tail.popleft())
            self._tail_bytes -= gone
            self._left_out += gone

    def _keep(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(data)
        except OSError:  # a full disk must not end the run; the tail in memory is still there
            self._file.close()
            self._file = None

    def blocks(self) -> Iterator[bytes]:
        """All that is there."""
        yield bytes(self._head)
        if self._left_out:
            yield f"\n[{self._left_out} bytes left out]\n".encode()
        yield from self._tail


class RunSource(Source):
    """The log of a run, and what was found out about it, as a file."""

    def __init__(self, log: RunLog, *remarks: str) -> None:
        super().__init__(None)
        self.name = "output"
        self._log = log
        self._remarks = remarks

    def blocks(self) -> Iterator[bytes]:
        """What the command said, and then what we saw."""
        yield from self._log.blocks()
        yield "".join(f"\n{remark}\n" for remark in self._remarks if remark).encode("utf-8", "replace")
