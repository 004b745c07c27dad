"""Cases inside rules: facts as given, type-checked, and what differs from what is expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpudoctor.engine.cases import facts_of, run_cases
from gpudoctor.engine.problem import SpecError
from gpudoctor.model.fact import absent, known
from tests.engine.samples import make_rule


def test_given_values_become_facts() -> None:
    facts = facts_of(
        {
            "workload.tp": 4,
            "shm.writable": True,
            "workload.gpu_memory_utilization": 1,
            "environment.variables": {"A": "1"},
            "visible.devices": [1, 0],
            "nvml.driver_version": {"absent": "timeout", "detail": "hung"},
            "gpus.devices": [{"index": 2, "name": "X", "uuid": {"absent": "no_permission"}, "processes": [{"pid": 1}]}],
        }
    )
    assert facts.workload.tp == known(4, "case")
    assert facts.workload.gpu_memory_utilization == known(1.0, "case")
    assert facts.environment.variables == known({"A": "1"}, "case")
    assert facts.visible.devices == known((1, 0), "case")
    assert facts.nvml.driver_version == absent("timeout", "hung", "case")
    gpu = (facts.gpus.devices.or_none() or ())[0]
    assert (gpu.index, gpu.name, gpu.uuid) == (2, known("X", "case"), absent("no_permission", "", "case"))
    assert [process.pid for process in gpu.processes.or_none() or ()] == [1]
    assert facts.workload.pp.absent == "not_provided"


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"workload.tpp": 4}, "unknown fact 'workload.tpp'", "workload.tp"),
        ({"tp": 4}, "unknown fact 'tp'", ""),
        ({"workload": {"tp": 4}}, "unknown fact 'workload'", ""),
        ({"workload.tp": "4"}, "Expected `int`, got `str`", ""),
        ({"workload.tp": None}, "got `null`", ""),
        ({"workload.tp": {"absent": "gone"}}, "'gone' is no reason", "timeout"),
        ({"gpus.devices": {"index": 0}}, "a list of Gpu is needed", ""),
        ({"gpus.devices": [3]}, "a Gpu is a mapping", ""),
        ({"gpus.devices": [{"index": 0, "nam": "x"}]}, "gpus.devices[0]: unknown field 'nam'", "name"),
        ({"gpus.devices": [{"name": "x"}]}, "missing required field `index`", ""),
        ({"environment.variables": {"A": 1}}, "Expected `str`, got `int`", ""),
        ({"workload.gpu_memory_utilization": "x"}, "Expected `float`", ""),
    ],
)
def test_a_wrong_given_is_refused(given: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        facts_of(given)
    assert message in caught.value.message
    assert hint in caught.value.hint


FIRING = {"workload.tp": 4, "gpus.visible_count": 2}


@pytest.mark.parametrize(
    ("case", "difference"),
    [
        ({"given": FIRING, "expect": "silent"}, "expected silent, got fires"),
        ({"given": {"workload.tp": 1, "gpus.visible_count": 2}, "expect": "fires"}, "expected fires, got silent"),
        (
            {"given": {}, "expect": "fires"},
            "expected fires, got unknown (gpus.visible_count: not_provided; workload.tp",
        ),
        ({"given": {}, "expect": "unknown", "missing": "workload.pp"}, "missing is gpus.visible_count"),
        ({"given": FIRING, "expect": "fires", "title": "TP size 5"}, "'TP size 5' is not in the title: 'TP size 4'"),
        ({"given": FIRING, "expect": "fires", "subject": "gpu:0"}, "'gpu:0' is not in the subject: 'host'"),
        ({"given": FIRING, "expect": "fires", "fix": "tp=3"}, "'tp=3' is not in the fix"),
        ({"given": {"workload.tpp": 1}, "expect": "fires"}, "unknown fact 'workload.tpp'"),
    ],
)
def test_a_case_that_goes_otherwise_says_how_and_where(tmp_path: Path, case: dict[str, Any], difference: str) -> None:
    changes: dict[str, Any] = {"fixes": [{"title": "t", "change": {"flags": {"tp": "{gpus.visible_count}"}}}]}
    rule = make_rule(tmp_path, cases=[{"name": "the case", **case}], **changes)
    result = run_cases(rule)[0]
    assert not result.passed
    assert result.problem is not None
    assert difference in result.problem.message
    assert result.problem.line > 30


def test_good_cases_pass(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"fixes": [{"title": "t", "change": {"flags": {"tp": "{gpus.visible_count}"}}}]}
    cases = [
        {"name": "a", "given": FIRING, "expect": "fires", "title": "TP size 4", "subject": "host", "fix": "tp=2"},
        {
            "name": "b",
            "given": {"workload.tp": {"absent": "timeout"}},
            "expect": "unknown",
            "missing": "workload.tp: timeout",
        },
    ]
    assert [result.passed for result in run_cases(make_rule(tmp_path, cases=cases, **changes))] == [True, True]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": "PP {workload.pp}"}, "the title shows an absent fact as ?"),
        ({"evidence": ["workload.pp"]}, "fires without any evidence"),
        ({"fixes": [{"title": "t", "command": "x {workload.pp}"}]}, "without any fix that can be used"),
        ({"why": "{workload.nothing}"}, "got unknown (internal: RuleFileError"),
    ],
)
def test_a_firing_case_must_give_a_useful_finding(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    rule = make_rule(tmp_path, cases=[{"name": "a", "given": FIRING, "expect": "fires"}], **changes)
    problem = run_cases(rule)[0].problem
    assert problem is not None
    assert message in problem.message
