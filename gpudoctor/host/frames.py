"""Messages through a pipe, each with its length in front."""

from __future__ import annotations

import os
import struct
from typing import Final

_LENGTH: Final = struct.Struct("!I")
MAX_BYTES: Final = 64 << 20


def send(body: bytes, pipe: int) -> None:
    """Write one message, whole. Raises OSError."""
    view = memoryview(_LENGTH.pack(len(body)) + body)
    while view:
        view = view[os.write(pipe, view) :]


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
