"""/etc/ld.so.cache: which file the loader takes for a library's name.

Source: glibc, sysdeps/generic/dl-cache.h (the "glibc-ld.so.cache1.1" layout, alone or behind the old one).
"""

from __future__ import annotations

import struct
import sys

MAX_BYTES = 16 << 20
_MAGIC = b"glibc-ld.so.cache1.1"
_OLD_MAGIC = b"ld.so-1.7.0"
_COUNTS = "II"
_HEADER_BYTES = 48
_ENTRY = "iIIIQ"  # flags, key, value, kernel version, hardware capabilities
_MAX_NAME_BYTES = 4096
_ORDER = {"little": "<", "big": ">"}[sys.byteorder]


def cached_libraries(cache: bytes, prefix: str) -> tuple[tuple[str, str], ...]:
    """Pairs of (name, path) of the libraries whose name starts with `prefix`, in the cache's order.

    Empty for what is no such cache.
    """
    start = cache.find(_MAGIC) if cache.startswith((_MAGIC, _OLD_MAGIC)) else -1
    if start < 0 or len(cache) < start + _HEADER_BYTES:
        return ()
    count, _ = struct.unpack_from(_ORDER + _COUNTS, cache, start + len(_MAGIC))
    layout = struct.Struct(_ORDER + _ENTRY)
    first = start + _HEADER_BYTES
    wanted = prefix.encode()
    found: list[tuple[str, str]] = []
    for number in range(min(count, (len(cache) - first) // layout.size)):
        _, key, value, _, _ = layout.unpack_from(cache, first + number * layout.size)
        if cache.startswith(wanted, start + key):
            found.append((_text(cache, start + key), _text(cache, start + value)))
    return tuple(found)


def _text(cache: bytes, at: int) -> str:
    return cache[at : at + _MAX_NAME_BYTES].split(b"\0", 1)[0].decode("utf-8", "replace")
