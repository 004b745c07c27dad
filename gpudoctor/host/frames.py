"""Messages through a pipe, each with its length in front."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import Final

_LENGTH: Final = struct.Struct("!I")
MAX_BYTES: Final = 64 << 20


def send(body: bytes, pipe: int) -> None:
    """Write one message, whole, however long that takes. Raises OSError."""
    view = memoryview(_LENGTH.pack(len(body)) + body)
    while view:
        view = view[os.write(pipe, view) :]


class Outgoing:
    """Messages on their way through a pipe whose reader may be busy: nobody waits for it but who asks for that."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._waiting = bytearray()

    def send(self, body: bytes) -> None:
        """Write as much as there is room for, and keep the rest. Raises OSError."""
        self._waiting += _LENGTH.pack(len(body)) + body
        with contextlib.suppress(BlockingIOError):
            while self._waiting:
                del self._waiting[: os.write(self._pipe, self._waiting)]

    def finish(self) -> None:
        """Wait until all is written. Raises OSError."""
        os.set_blocking(self._pipe, True)
        while self._waiting:
            del self._waiting[: os.write(self._pipe, self._waiting)]


class Frames:
    """What came through a pipe so far."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete. Raises ValueError: one is longer than any of ours."""
        self._received += data
        complete: list[bytes] = []
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if length > MAX_BYTES:
                raise ValueError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._received) < end:
                break
            complete.append(bytes(self._received[_LENGTH.size : end]))
            del self._received[:end]
        return complete
