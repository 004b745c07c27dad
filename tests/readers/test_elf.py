"""ELF files: real ones, and whatever else is called so."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpudoctor.readers.elf import ElfError, ElfKind, Read, read_dynamic, read_kind
from tests.probes.targets import build_library, requires_gcc


@pytest.fixture(scope="module")
def broken_library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole one; the test breaks it."""
    path = build_library(tmp_path_factory.mktemp("elf") / "lib.so", "int a;", "-Wl,-soname,lib.so.1,-rpath,/opt/x")
    return path.read_bytes()


def reader(data: bytes) -> Read:
    return lambda offset, size: data[offset : offset + size]


@requires_gcc
def test_names_and_folders_are_those_that_readelf_shows(tmp_path: Path) -> None:
    first = build_library(tmp_path / "liba.so", "int a;", "-Wl,-soname,liba.so.1")
    flags = [f"-L{tmp_path}", "-Wl,--no-as-needed", "-l:liba.so", "-Wl,-soname,libb.so.7"]
    for tags, field in (("--disable-new-dtags", "rpath"), ("--enable-new-dtags", "runpath")):
        path = build_library(tmp_path / "libb.so", "int b;", *flags, f"-Wl,{tags},-rpath,$ORIGIN/../x:/opt/y")
        dynamic = read_dynamic(reader(path.read_bytes()))
        assert dynamic.soname == "libb.so.7"
        assert dynamic.needed[0] == "liba.so.1"
        assert getattr(dynamic, field) == ("$ORIGIN/../x", "/opt/y")
        assert dynamic.rpath + dynamic.runpath == ("$ORIGIN/../x", "/opt/y")
    assert read_dynamic(reader(first.read_bytes())).rpath == ()


@requires_gcc
def test_a_static_program_needs_nothing(tmp_path: Path) -> None:
    source = "int main(void) { return 0; }"
    command = ["gcc", "-static", "-nostdlib", "-Wl,-e,main", "-x", "c", "-", "-o", str(tmp_path / "p")]
    subprocess.run(command, input=source.encode(), check=True, capture_output=True)
    dynamic = read_dynamic(reader((tmp_path / "p").read_bytes()))
    assert (dynamic.needed, dynamic.soname) == ((), "")


def test_our_own_interpreter_is_a_64_bit_file_of_this_machine() -> None:
    kind = read_kind(reader(Path(sys.executable).resolve().read_bytes()[:64]))
    assert kind.bits == 64


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"#!/bin/sh\n" * 10, b"\x7fELF\x02\x01", b"\x7fELF\x09\x09" + bytes(90)]
)
def test_what_is_no_elf_file_is_an_elf_error(data: bytes) -> None:
    with pytest.raises(ElfError):
        read_dynamic(reader(data))
    with pytest.raises(ElfError):
        read_kind(reader(data))


def test_a_32_bit_file_has_a_kind_and_no_dynamic_section_for_us() -> None:
    data = b"\x7fELF\x01\x01" + bytes(12) + (3).to_bytes(2, "little") + bytes(44)
    assert read_kind(reader(data)) == ElfKind(32, 3)
    with pytest.raises(ElfError):
        read_dynamic(reader(data))


@requires_gcc
@pytest.mark.parametrize("length", [64, 100, 700, 5000])
def test_a_truncated_library_is_an_elf_error_or_has_no_names(tmp_path: Path, length: int) -> None:
    data = build_library(tmp_path / "lib.so", "int a;", "-Wl,-soname,lib.so.1").read_bytes()[:length]
    with suppress(ElfError):
        assert read_dynamic(reader(data)).soname in ("", "lib.so.1")


@given(st.binary(max_size=600))
def test_any_bytes_behind_a_valid_start_are_read_or_refused(data: bytes) -> None:
    with suppress(ElfError):
        read_dynamic(reader(b"\x7fELF\x02\x01\x01" + data))


@given(st.integers(0, 2**64 - 1), st.integers(0, 65535), st.integers(0, 65535))
def test_offsets_and_counts_out_of_all_bounds_are_survived(offset: int, size: int, count: int) -> None:
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    header[32:40] = offset.to_bytes(8, "little")
    header[54:58] = size.to_bytes(2, "little") + count.to_bytes(2, "little")
    with suppress(ElfError):
        read_dynamic(reader(bytes(header) + bytes(range(256)) * 8))


@requires_gcc
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4095), st.binary(min_size=1, max_size=8))
def test_a_library_with_broken_bytes_is_read_or_refused(broken_library: bytes, at: int, data: bytes) -> None:
    changed = broken_library[:at] + data + broken_library[at + len(data) :]
    with suppress(ElfError):
        read_dynamic(reader(changed))
