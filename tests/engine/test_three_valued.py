"""True, false and unknown: what is missing decides nothing, and what does not exist is false."""

from __future__ import annotations

from typing import Any

import pytest

from gpudoctor.engine.values import Truth, Unknown
from tests.engine.samples import truth_of

T, F, U = "True", "False", "workload.pp > 1"  # pipeline size is absent: unknown
GIVEN: dict[str, Any] = {
    "workload.tp": 4,
    "workload.pp": {"absent": "timeout"},
    "workload.dp": {"absent": "no_permission", "detail": "root only"},
    "workload.nodes": {"absent": "not_applicable"},
    "topology.any_nvlink": {"absent": "not_applicable"},
    "topology.any_p2p": {"absent": "failed"},
    "environment.variables": {"A": "1"},
    "visible.entries": {"absent": "not_applicable"},
    "gpus.devices": [
        {"index": 0, "nvlinks_active": 18, "temperature_c": {"absent": "not_applicable"}, "persistence": True},
        {
            "index": 1,
            "nvlinks_active": {"absent": "timeout"},
            "temperature_c": 50,
            "persistence": {"absent": "timeout"},
        },
        {"index": 2, "nvlinks_active": 4, "temperature_c": 60, "persistence": False},
    ],
}


def kind(truth: Truth) -> str:
    return "U" if isinstance(truth, Unknown) else "T" if truth else "F"


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, "T", "T"),
        (T, F, "F", "T"),
        (T, U, "U", "T"),
        (F, T, "F", "T"),
        (F, F, "F", "F"),
        (F, U, "F", "U"),
        (U, T, "U", "T"),
        (U, F, "F", "U"),
        (U, U, "U", "U"),
    ],
)
def test_and_and_or_follow_the_table(left: str, right: str, both: str, either: str) -> None:
    assert kind(truth_of(f"{left} and {right}", GIVEN)) == both
    assert kind(truth_of(f"{left} or {right}", GIVEN)) == either


@pytest.mark.parametrize(("text", "expected"), [(f"not ({T})", "F"), (f"not ({F})", "T"), (f"not ({U})", "U")])
def test_not_follows_the_table(text: str, expected: str) -> None:
    assert kind(truth_of(text, GIVEN)) == expected


def test_unknown_names_every_fact_that_would_decide() -> None:
    assert truth_of("workload.pp > 1 or workload.dp > workload.tp", GIVEN) == Unknown(
        frozenset({("workload.pp", "timeout"), ("workload.dp", "no_permission (root only)")})
    )


@pytest.mark.parametrize(
    "text",
    [
        "workload.nodes == 1",
        "workload.nodes != 1",
        "workload.nodes < 5",
        "workload.nodes in [1]",
        "workload.nodes not in [1]",
        "workload.nodes + workload.pp > 1",
        "workload.pp < workload.nodes",
        "topology.any_nvlink",
        "environment.variables['B'] == '1'",
        "environment.variables['B'] != '1'",
        "visible.entries",
        "[e for e in visible.entries if e == '1']",
        "all(e == '1' for e in visible.entries)",
        "any(e == '1' for e in visible.entries)",
        "gpus.devices[7].index == 7",
        "first([g for g in gpus.devices if g.index > 9]).index == 1",
        "version(environment.variables['B']) < version('2')",
        "max([g.temperature_c for g in gpus.devices if g.index > 9]) > 1",
    ],
)
def test_what_does_not_exist_here_is_false_in_any_comparison(text: str) -> None:
    assert truth_of(text, GIVEN) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("known(workload.pp)", "F"),
        ("known(workload.tp)", "T"),
        ("known(workload.nodes)", "F"),
        ("default(workload.pp, 1) == 1", "T"),
        ("default(workload.nodes, 1) == 1", "T"),
        ("default(topology.any_p2p, False)", "F"),
        ("not topology.any_nvlink", "T"),
        ("not topology.any_p2p", "U"),
        ("(1 if workload.pp > 1 else 2) == 1", "U"),
        ("workload.tp // 0 == 1", "U"),
        ("number('x') == 1", "U"),
        ("version('1') < version(lower('no version'))", "U"),
        ("matches(joined(split('" + "a" * 1500 + "', ','), ',') , 'b')", "F"),
    ],
)
def test_questions_about_absence_are_answered(text: str, expected: str) -> None:
    assert kind(truth_of(f"({text})", GIVEN)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[g for g in gpus.devices if g.nvlinks_active < 10]", "T"),
        ("[g for g in gpus.devices if g.nvlinks_active > 100]", "U"),
        ("[g for g in gpus.devices if g.nvlinks_active > 100 and g.index == 0]", "F"),
        ("[g for g in gpus.devices if g.nvlinks_active > 100 if g.index == 0]", "F"),
        ("any(g.nvlinks_active > 10 for g in gpus.devices)", "T"),
        ("any(g.nvlinks_active > 100 for g in gpus.devices)", "U"),
        ("all(g.nvlinks_active > 10 for g in gpus.devices)", "F"),
        ("all(g.nvlinks_active > 1 for g in gpus.devices)", "U"),
        ("all(g.index < 9 for g in gpus.devices)", "T"),
        ("all(g.persistence for g in gpus.devices)", "F"),
        # an undecided row does not matter where its condition could not change the result
        ("any(g.index == 9 for g in gpus.devices if g.nvlinks_active > 1)", "F"),
        ("all(g.index < 9 for g in gpus.devices if g.nvlinks_active > 1)", "T"),
        ("any(g.index == 1 for g in gpus.devices if g.nvlinks_active > 1)", "U"),
        ("count([g for g in gpus.devices if g.nvlinks_active > 10]) == 1", "U"),
        ("count([g for g in gpus.devices if g.index > 0]) == 2", "T"),
        ("min(g.temperature_c for g in gpus.devices) == 50", "T"),
        ("min(g.nvlinks_active for g in gpus.devices) == 4", "U"),
        ("18 in [g.nvlinks_active for g in gpus.devices]", "T"),
        ("99 in [g.nvlinks_active for g in gpus.devices]", "U"),
        ("99 not in [g.temperature_c for g in gpus.devices]", "T"),
        ("first([g for g in gpus.devices if g.nvlinks_active > 10]).index == 0", "T"),
        ("first([g for g in gpus.devices if g.nvlinks_active > 100]).index == 0", "U"),
        ("[h for h in [g for g in gpus.devices if g.nvlinks_active > 100] if h.index == 1]", "U"),
        ("all(h.index == 1 for h in [g for g in gpus.devices if g.nvlinks_active > 100])", "U"),
        ("all(g.index == 1 for g in gpus.visible)", "U"),
        ("[p for g in gpus.devices for p in g.processes]", "U"),
    ],
)
def test_quantifiers_are_decided_by_the_certain_items(text: str, expected: str) -> None:
    assert kind(truth_of(text, GIVEN)) == expected


def test_an_undecided_item_is_named_by_its_key() -> None:
    assert truth_of("any(g.nvlinks_active > 100 for g in gpus.devices)", GIVEN) == Unknown(
        frozenset({("gpus.devices[1].nvlinks_active", "timeout")})
    )


UNSURE: dict[str, Any] = {
    "environment.variables": {"A": "1"},
    "environment.variables_undecided": {"B": "sudo drops it"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment.variables['A'] == '1'", "T"),
        ("environment.variables['B'] == '1'", "U"),
        ("environment.variables['C'] == '1'", "F"),
        ("'A' in environment.variables", "T"),
        ("'B' in environment.variables", "U"),
        ("not ('B' in environment.variables)", "U"),
        ("'C' in environment.variables", "F"),
        ("[n for n in environment.variables if n == 'A']", "T"),
        ("[n for n in environment.variables if n == 'B']", "U"),
        ("[n for n in environment.variables if n == 'C']", "F"),
        ("any(n == 'B' for n in environment.variables)", "U"),
    ],
)
def test_a_map_may_have_names_of_which_nobody_knows(text: str, expected: str) -> None:
    truth = truth_of(text, UNSURE)
    assert kind(truth) == expected
    if isinstance(truth, Unknown):
        assert truth.missing == {("environment.variables[B]", "not_provided (sudo drops it)")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment.variables['A'] == '1'", "T"),
        ("'C' in environment.variables", "U"),
        ("[n for n in environment.variables if n == 'A']", "T"),
        ("[n for n in environment.variables if n == 'C']", "U"),
    ],
)
def test_a_star_stands_for_every_other_name(text: str, expected: str) -> None:
    given = {**UNSURE, "environment.variables_undecided": {"*": "another machine"}}
    assert kind(truth_of(text, given)) == expected
