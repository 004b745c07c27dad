"""The acceptance table: in each situation the installed command leads with the cause and the fix of an expert."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest

from tests.acceptance.lab import Laboratory
from tests.acceptance.situation import Situation, situations
from tests.acceptance.table import HEAD, line
from tests.placeholders import placeholders
from tests.sim import machine

ALL = situations()
TABLE = Path(__file__).resolve().parents[2] / "docs" / "situations.md"


def named(one: Situation) -> str:
    return re.sub(r"[^\w.=-]+", "-", one.situation)


@pytest.mark.parametrize("one", ALL, ids=named)
def test_the_cause_and_its_fix_lead(laboratory: Laboratory, one: Situation) -> None:
    found = laboratory.outcome(one)
    assert (found.cause, found.severity) == (one.cause, one.severity), [f["title"] for f in found.findings]
    assert one.fix in found.fix_line


@pytest.mark.parametrize("one", [one for one in ALL if one.cause == "none"], ids=named)
def test_a_healthy_machine_has_neither_errors_nor_warnings(laboratory: Laboratory, one: Situation) -> None:
    report = laboratory.outcome(one).report
    assert (report["summary"]["errors"], report["summary"]["warnings"]) == (0, 0)
    assert report["status"] == "ok"


def test_a_faulty_situation_has_few_error_causes(laboratory: Laboratory) -> None:
    faulty = [one for one in ALL if one.cause != "none"]
    counts = {one.situation: len(laboratory.outcome(one).error_causes) for one in faulty}
    assert statistics.mean(counts.values()) <= 1
    assert {situation: count for situation, count in counts.items() if count > 2} == {}


def test_no_fix_line_holds_a_placeholder(laboratory: Laboratory) -> None:
    """What is printed can be pasted: nothing in it stands for something else."""
    for one in ALL:
        if one.cause != "none":
            outcome = laboratory.outcome(one)
            assert "<" not in outcome.fix_line, one.situation
            for finding in outcome.findings:
                for text in (finding["verify"], *(fix["command"] for fix in finding["fixes"])):
                    assert placeholders(text) == [], one.situation


def test_no_title_is_longer_than_a_terminal_shows(laboratory: Laboratory) -> None:
    for one in ALL:
        for finding in laboratory.outcome(one).findings:
            assert len(finding["title"]) <= 120, (one.situation, finding["title"])


def test_every_machine_is_in_the_table_plain_and_with_a_launch_command() -> None:
    plain = {one.machine for one in ALL if not (one.change or one.faults or one.launch or one.arguments)}
    launched = {one.machine for one in ALL if one.launch and not (one.change or one.faults)}
    assert plain == launched == set(machine.names())


def test_the_table_is_large_and_names_each_situation_once() -> None:
    assert len({one.situation for one in ALL}) == len(ALL) >= 70
    injected = [one for one in ALL if (one.change or one.faults or one.env or one.deny) and one.cause != "none"]
    assert len(injected) >= 50


PRINTED = TABLE.read_text(encoding="utf-8").splitlines()


def test_the_printed_table_has_the_rows_of_the_situations() -> None:
    assert tuple(PRINTED[:2]) == HEAD
    assert [row.split(" | ")[0].removeprefix("| ") for row in PRINTED[2:]] == [one.situation for one in ALL]


@pytest.mark.parametrize("one", ALL, ids=named)
def test_the_printed_row_is_what_comes_out(laboratory: Laboratory, one: Situation) -> None:
    """Where this fails and the new row is right: python -m tests.acceptance.table > docs/situations.md."""
    printed = [row for row in PRINTED if row.startswith(f"| {one.situation} | ")]
    assert printed == [line(one, laboratory.outcome(one))]
