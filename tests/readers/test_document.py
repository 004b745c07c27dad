"""How blocks are found."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import Document, blocks


def _nothing(_lines: Sequence[str]) -> Facts:
    return Facts()


TABLE = Document(
    name="table",
    literals=("TABLE",),
    begins=lambda line: line.startswith("TABLE"),
    belongs=lambda line, _taken: line.startswith("|"),
    read=_nothing,
    max_lines=4,
)
NOTES = Document(
    name="notes", literals=("n:",), begins=lambda line: line.startswith("n:"), read=_nothing, scattered=True
)


def found(lines: Sequence[str], *kinds: Document) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(block.document.name, block.line, block.lines) for block in blocks(lines, kinds)]


def test_a_block_ends_where_a_line_does_not_belong() -> None:
    assert found(["x", "TABLE", "|1", "x", "|2"], TABLE) == [("table", 2, ("TABLE", "|1"))]


def test_the_line_that_ends_a_block_may_begin_the_next() -> None:
    assert [line for _, line, _ in found(["TABLE", "TABLE", "|1"], TABLE)] == [1, 2]


def test_the_end_of_the_text_ends_a_block() -> None:
    assert found(["TABLE", "|1"], TABLE) == [("table", 1, ("TABLE", "|1"))]


def test_a_block_has_at_most_so_many_lines() -> None:
    assert found(["TABLE", *["|"] * 9], TABLE) == [("table", 1, ("TABLE", "|", "|", "|"))]


def test_lines_without_a_literal_are_not_looked_at() -> None:
    loose = Document(name="loose", literals=("yes",), begins=lambda _line: True, read=_nothing)
    assert found(["no", "yes"], loose) == [("loose", 2, ("yes",))]


def test_kinds_are_found_independently_of_one_another() -> None:
    both = found(["TABLE", "|1", "n:a", "|2", "TABLE", "n:b"], TABLE, NOTES)
    assert [name for name, _, _ in both] == ["table", "table", "notes"]
    assert both[-1] == ("notes", 3, ("n:a", "n:b"))
