"""The loader's cache: this machine's own, made-up ones, garbage."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.ld_cache import cached_libraries

ORDER = "<" if sys.byteorder == "little" else ">"


def cache(entries: list[tuple[str, str]], old: bool = False) -> bytes:
    """A cache as ldconfig writes it."""
    strings = b""
    records = b""
    base = 48 + 24 * len(entries)
    for name, path in entries:
        records += struct.pack(ORDER + "iIIIQ", 0x303, base + len(strings), base + len(strings) + len(name) + 1, 0, 0)
        strings += name.encode() + b"\0" + path.encode() + b"\0"
    header = b"glibc-ld.so.cache1.1" + struct.pack(ORDER + "II", len(entries), len(strings)) + bytes(20)
    return (b"ld.so-1.7.0\0" + bytes(20) if old else b"") + header + records + strings


@pytest.mark.parametrize("old", [False, True])
def test_names_and_paths_come_in_the_order_of_the_cache(old: bool) -> None:
    entries = [
        ("libnccl.so.2", "/opt/a/libnccl.so.2"),
        ("libc.so.6", "/lib/libc.so.6"),
        ("libnccl.so", "/b/libnccl.so"),
    ]
    assert cached_libraries(cache(entries, old), "libnccl.so") == (entries[0], entries[2])


@pytest.mark.skipif(not Path("/etc/ld.so.cache").exists(), reason="this machine has no cache")
def test_the_cache_of_this_machine_knows_the_c_library() -> None:
    found = dict(cached_libraries(Path("/etc/ld.so.cache").read_bytes(), "libc.so"))
    assert Path(found["libc.so.6"]).exists()


@pytest.mark.parametrize("data", [b"", b"ld.so-1.7.0", b"glibc-ld.so.cache1.1", b"# include /etc/ld.so.conf.d\n" * 100])
def test_what_is_no_cache_has_no_libraries(data: bytes) -> None:
    assert cached_libraries(data, "lib") == ()


@given(st.binary(max_size=400))
def test_any_bytes_behind_the_mark_are_survived(data: bytes) -> None:
    cached_libraries(b"glibc-ld.so.cache1.1" + data, "")


def test_a_count_beyond_the_file_is_bounded_by_the_file() -> None:
    data = bytearray(cache([("libnccl.so.2", "/x")]))
    data[20:24] = b"\xff\xff\xff\xff"
    assert ("libnccl.so.2", "/x") in cached_libraries(bytes(data), "libnccl")
