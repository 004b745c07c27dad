"""Files in any form become blocks of UTF-8; what is broken is said, and what can be read is read."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
import zstandard

from gpudoctor.errors import InputFileError
from gpudoctor.logs.open import BLOCK, Source

TEXT = "".join(f"line {i} with ä and 世\n" for i in range(5000))


def read(path: Path) -> tuple[str, list[str]]:
    source = Source(path)
    return b"".join(source.blocks()).decode(), source.notes


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT[:100].encode()) + gzip.compress(TEXT[100:].encode()),
        zstandard.compress(TEXT.encode()),
        zstandard.compress(TEXT[:100].encode()) + zstandard.compress(TEXT[100:].encode()),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        gzip.compress(TEXT.encode("utf-16")),
    ],
    ids=["plain", "mark", "gz", "gz-members", "zst", "zst-frames", "utf-16", "utf-16-le", "utf-16-be", "gz-of-utf-16"],
)
def test_every_form_gives_the_same_text(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    text, notes = read(path)
    assert text == TEXT
    assert notes == []


@pytest.mark.parametrize(("name", "pack"), [("log.gz", gzip.compress), ("log.zst", zstandard.compress)])
def test_what_lies_in_front_of_a_cut_is_read(name: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    random = Random(1)
    text = "".join(f"{random.random()}\n" for _ in range(100_000))
    whole = pack(text.encode())
    path = tmp_path / name
    path.write_bytes(whole[: len(whole) // 2])
    found, notes = read(path)
    assert len(found) > len(text) // 4
    assert text.startswith(found)
    assert len(notes) == 1
    assert "ends too early; what is there was read" in notes[0]


@pytest.mark.parametrize(
    ("name", "whole", "place"),
    [("log.gz", gzip.compress(TEXT.encode()), 60), ("log.zst", zstandard.compress(TEXT.encode()), 6)],
)
def test_damaged_data_end_the_text_with_a_note(name: str, whole: bytes, place: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(whole[:place] + b"\xff" * 40 + whole[place + 40 :])
    source = Source(path)
    list(source.blocks())
    assert len(source.notes) == 1
    assert "damaged" in source.notes[0]


def test_blocks_are_bounded_however_well_a_file_was_packed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as stream:
        for _ in range(64):
            stream.write(b"\0" * (1 << 20))
    sizes = [len(block) for block in Source(path).blocks()]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= BLOCK
    path.write_bytes(zstandard.compress(b"\0" * (64 << 20)))
    assert max(len(block) for block in Source(path).blocks()) <= BLOCK


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"from a pipe\n"))))
    source = Source(None)
    assert b"".join(source.blocks()) == b"from a pipe\n"
    assert source.name == "stdin"


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert read(path) == ("", [])


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="No such file"):
        list(Source(tmp_path / "none").blocks())
    with pytest.raises(InputFileError, match="is a folder"):
        list(Source(tmp_path).blocks())
