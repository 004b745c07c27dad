"""Hits and documents of one file: the same however it comes in, bounded whatever is in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gpudoctor.logs import scan as scan_module
from gpudoctor.logs.kept import FIRST, LAST, RANKS
from gpudoctor.logs.open import BLOCK
from gpudoctor.logs.scan import Scanned, Scanner
from gpudoctor.model.facts import Facts
from gpudoctor.model.signature import Signature
from gpudoctor.readers.document import Document
from tests.logs.samples import ALL, OUT_OF_MEMORY, pieces, scan


def _read(lines: Sequence[str]) -> Facts:
    return Facts()


TABLE = Document(
    name="table",
    literals=("BEGIN TABLE",),
    begins=lambda line: line == "BEGIN TABLE",
    belongs=lambda line, _: line.startswith("row "),
    read=_read,
    max_lines=100,
)
NOTES = Document(
    name="notes", literals=("note: ",), begins=lambda line: line.startswith("note: "), read=_read, scattered=True
)


def places(scanned: Scanned, key: str) -> list[int]:
    return [hit.line for hit in scanned.hits[key].hits()] if key in scanned.hits else []


def test_a_hit_knows_its_line_rank_and_captures() -> None:
    found = scan("one\n\n[rank3]: CUDA out of memory. Tried to allocate 2.5 GiB.\nend")
    (hit,) = found.hits["oom__memory"].hits()
    assert (hit.line, hit.rank, hit.captures) == (3, 3, {"size": "2.5 GiB"})
    assert hit.text == "CUDA out of memory. Tried to allocate 2.5 GiB."
    assert found.lines == 4
    assert found.ranks == {3}


def test_a_harmless_line_is_nothing_else() -> None:
    found = scan("NCCL INFO NET/Plugin : No plugin found (libnccl-net.so)\nNo plugin found here\n")
    assert places(found, "plugin__none") == [1]
    assert places(found, "loose__plugin") == [2]


def test_a_guard_takes_lines_away() -> None:
    found = scan("device error 7\nexpected device error 8\n")
    assert places(found, "guarded__error") == [1]


def test_the_time_of_a_line_without_one_is_that_of_the_line_before() -> None:
    found = scan("2025-11-02 10:00:07 x\n\nCUDA out of memory. Tried to allocate 1 GiB\n2025-11-02 11:00:00 y\n")
    (hit,) = found.hits["oom__memory"].hits()
    assert hit.seconds is not None
    assert hit.seconds % 86400 == 36007


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_it_does_not_matter_in_which_pieces_a_file_comes(size: int) -> None:
    lines = [f"line {i}" for i in range(200)]
    lines[60] = "[rank1]: CUDA out of memory. Tried to allocate 1 GiB"
    lines[120:124] = ["BEGIN TABLE", "row 1", "row 2", "after"]
    lines[150] = "note: a"
    lines[190] = "note: b"
    data = "\n".join(lines).encode()
    whole = scan(data, documents=(TABLE, NOTES))
    cut = Scanner(ALL, (TABLE, NOTES)).scan("log.txt", pieces(data, size))
    for found in (whole, cut):
        assert places(found, "oom__memory") == [61]
        assert sorted((block.document.name, block.line, block.lines) for block in found.blocks) == [
            ("notes", 151, ("note: a", "note: b")),
            ("table", 121, ("BEGIN TABLE", "row 1", "row 2")),
        ]
        assert found.lines == 200


def test_blocks_cross_pieces_and_end_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "_TAIL", 0)
    data = ("x\n" * 5 + "BEGIN TABLE\n" + "".join(f"row {i}\n" for i in range(40))).encode()
    found = Scanner(ALL, (TABLE,)).scan("log.txt", pieces(data, 16))
    (block,) = found.blocks
    assert (block.line, len(block.lines)) == (6, 41)


def test_a_table_is_bounded_and_the_next_one_begins_where_it_ended() -> None:
    rows = "".join(f"row {i}\n" for i in range(150))
    found = scan(f"BEGIN TABLE\n{rows}BEGIN TABLE\nrow x\nBEGIN TABLE\n", documents=(TABLE,))
    assert [(block.line, len(block.lines)) for block in found.blocks] == [(1, 100), (152, 2), (154, 1)]


def test_a_carriage_return_ends_a_line_on_the_screen() -> None:
    found = scan("10%\r20%\rCUDA out of memory. Tried to allocate 3 GiB\r30%\nnext\r\n")
    (hit,) = found.hits["oom__memory"].hits()
    assert (hit.line, hit.text) == (1, "CUDA out of memory. Tried to allocate 3 GiB")


def test_the_first_hits_are_kept_the_first_of_each_rank_and_the_last() -> None:
    text = "".join(f"[rank{i % 1000}]: CUDA out of memory. Tried to allocate {i} MiB\n" for i in range(5000))
    kept = scan(text).hits["oom__memory"]
    hits = kept.hits()
    assert kept.count == 5000
    assert len(hits) <= FIRST + RANKS + LAST
    assert {hit.rank for hit in hits} >= set(range(RANKS))
    assert hits[-1].captures == {"size": "4999 MiB"}


def test_an_endless_line_is_searched_through_and_quoted_in_part() -> None:
    data = b"A" * (5 << 20) + b" CUDA out of memory. Tried to allocate 3 GiB " + b"B" * (5 << 20) + b"\nlast\n"
    found = Scanner(ALL, ()).scan("log.txt", pieces(data, 1 << 20))
    (hit,) = found.hits["oom__memory"].hits()
    assert hit.captures == {"size": "3 GiB"}
    assert len(hit.text) <= scan_module.MAX_TEXT
    assert found.lines == 2


@pytest.mark.parametrize("shift", range(0, 60, 7))
def test_a_literal_is_found_where_an_endless_line_is_cut(shift: int) -> None:
    data = b"A" * (BLOCK - shift) + b"CUDA out of memory. Tried to allocate 3 GiB" + b"B" * 100
    found = Scanner(ALL, ()).scan("log.txt", iter([data[:BLOCK], data[BLOCK:]]))
    assert found.hits["oom__memory"].count == 1


def test_what_a_log_is_full_of_costs_little_and_its_end_is_read_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    rare = Signature("rare__line", r"the cause itself")
    noisy = Signature("noisy__line", r"noise and more")
    noise = b"noise and more noise\n" * 3000
    data = noise * 20 + b"the cause itself\n" + noise * 20 + b"noise and more at the end\n"
    found = Scanner((rare, noisy), ()).scan("log.txt", pieces(data, 1 << 16))
    assert found.hits["rare__line"].count == 1
    assert 1000 < found.hits["noisy__line"].count < 40 * 3000
    assert [hit.line for hit in found.hits["noisy__line"].hits()][-1] == 120_002


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\0" * 4096, bytes(range(256)) * 64, b"\xff\xfe" * 1000, b"\r" * 5000, b"\x1b[" * 3000],
    ids=["empty", "one line", "nul", "bytes", "halves", "returns", "escapes"],
)
def test_garbage_is_no_text(data: bytes) -> None:
    assert scan(data, (OUT_OF_MEMORY,)).hits == {}
