"""What the scripts in the target say."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers import target_answer
from gpudoctor.readers.target_answer import MARK, last, parse


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), max_size=5))
def test_fields_come_back_as_they_were_said(fields: list[str]) -> None:
    line = "noise" + "\n" + MARK + "\t".join(["key", *(escaped(field) for field in fields)]) + "\n" + "more noise"
    assert parse(line) == {"key": [tuple(fields)]}


def test_lines_without_the_mark_at_their_start_are_no_answers() -> None:
    assert parse(f"key\tvalue\nx{MARK}key\tvalue\n\x1egpudoctorkey\tvalue\n") == {}


def test_a_value_that_can_be_no_path_is_dropped() -> None:
    assert parse(f"{MARK}path\t/a\0b\n{MARK}path\t/c\n") == {"path": [("/c",)]}


def test_the_last_of_several_values_counts_and_a_missing_field_is_none() -> None:
    answer = parse(f"{MARK}phase\tone\n{MARK}phase\ttwo\n{MARK}done\n")
    assert last(answer, "phase") == "two"
    assert last(answer, "phase", 1) is None
    assert last(answer, "done") is None
    assert last(answer, "none") is None


@given(st.text())
def test_any_output_is_survived(output: str) -> None:
    parse(output)


def test_the_documented_example_holds() -> None:
    assert doctest.testmod(target_answer).failed == 0
