"""Lines that a terminal broke are whole again; tables and ordinary logs stay as they are."""

from __future__ import annotations

from gpudoctor.logs.unwrap import unwrapped
from tests.logs.samples import scan

LONG = "RuntimeError: something of the run went wrong while the worker was busy, and then CUDA out of memory. Tried to "
TEXT = f"begin\n{LONG}allocate 2.00 GiB. GPU 0 has no more\n{LONG}say so again, which takes another line\nend"


def wrap(text: str, width: int) -> str:
    return "\n".join(
        part
        for line in text.split("\n")
        for part in ([line[i : i + width] for i in range(0, len(line), width)] or [""])
    )


def test_broken_lines_are_joined_and_know_their_first_line() -> None:
    for width in (40, 60, 80):
        found = unwrapped(wrap(TEXT, width))
        assert found is not None
        text, numbers = found
        assert text == TEXT
        assert numbers[0] == 1
        assert numbers[1] == 2


def test_what_shows_only_in_whole_lines_is_found_with_its_place() -> None:
    wrapped = wrap(TEXT, LONG.index("memory") + 3)
    assert "CUDA out of memory" not in wrapped
    (hit,) = scan(wrapped).hits["oom__memory"].hits()
    assert (hit.line, hit.captures) == (2, {"size": "2.00 GiB"})


def test_tables_and_lines_of_all_lengths_stay() -> None:
    table = "\n".join(["+" + "-" * 78 + "+", "| " + "x" * 76 + " |"] * 6)
    assert unwrapped(table) is None
    assert unwrapped("\n".join("x" * n for n in range(30, 90))) is None
    assert unwrapped("") is None
    assert unwrapped("short\nlines\n") is None
