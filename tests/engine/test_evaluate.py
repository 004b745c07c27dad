"""From rules and facts to a diagnosis."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gpudoctor.engine.evaluate import diagnose, evaluate
from gpudoctor.model.change import Change, Rewritten
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.finding import Evidence, Fix
from gpudoctor.model.fingerprint import fingerprint
from tests.engine.samples import facts, make_rule, rule_set

GIVEN: dict[str, Any] = {
    "workload.tp": 4,
    "workload.model": "m",
    "gpus.visible_count": 2,
    "gpus.devices": [
        {"index": 0, "name": "A\x1b[31m", "numa_node": 0},
        {"index": 3, "name": "B", "numa_node": {"absent": "timeout"}},
        {"index": 5, "name": {"absent": "timeout"}, "numa_node": 1},
    ],
}


def fires(folder: Path, **changes: Any) -> Any:
    outcome = evaluate(make_rule(folder, **changes), facts(GIVEN))
    assert outcome.candidate is not None, outcome
    return outcome.candidate.finding


def test_a_rule_that_fires_becomes_a_finding(tmp_path: Path) -> None:
    finding = fires(tmp_path, verify="gpudoctor nccl-test --tp {workload.tp}")
    assert (finding.title, finding.subject, finding.verify) == ("TP size 4", "host", "gpudoctor nccl-test --tp 4")
    assert finding.evidence == (Evidence(fact="workload.tp", value=4, source="case"),)
    assert finding.fixes == (Fix(title="do it", command="true"),)


def test_what_a_log_does_not_say_is_no_evidence_and_what_a_machine_lacks_is(tmp_path: Path) -> None:
    rule = make_rule(tmp_path, evidence=["log.networks", "log.nodes", "visible.entries"])
    given = facts({**GIVEN, "log.networks": [], "log.nodes": ["a"], "visible.entries": []})
    candidate = evaluate(rule, given).candidate
    assert candidate is not None
    assert [(e.fact, e.value) for e in candidate.finding.evidence] == [("log.nodes", ["a"]), ("visible.entries", [])]


def test_a_condition_that_is_not_true_gives_nothing(tmp_path: Path) -> None:
    given = facts({"workload.tp": 1, "gpus.visible_count": 2})
    diagnosis = diagnose(rule_set(make_rule(tmp_path)), given)
    assert (diagnosis.findings, diagnosis.not_evaluated, diagnosis.evaluated) == ((), (), 1)


def test_a_condition_that_cannot_be_decided_says_what_is_missing(tmp_path: Path) -> None:
    given = facts({"workload.tp": {"absent": "no_permission", "detail": "root\x1b[0m only"}})
    diagnosis = diagnose(rule_set(make_rule(tmp_path)), given)
    assert diagnosis.evaluated == 0
    assert diagnosis.not_evaluated[0].missing == (
        "gpus.visible_count: not_provided",
        "workload.tp: no_permission (root only)",
    )


@pytest.mark.parametrize("applies", ["False", "workload.pp > 1", "[g for g in gpus.visible]"])
def test_a_rule_that_does_not_apply_is_silent_and_not_unevaluated(tmp_path: Path, applies: str) -> None:
    diagnosis = diagnose(rule_set(make_rule(tmp_path, applies=applies, when="workload.dp > 1")), facts(GIVEN))
    assert (diagnosis.findings, diagnosis.not_evaluated, diagnosis.evaluated) == ((), (), 1)


def test_what_applies_may_not_use_let(tmp_path: Path) -> None:
    rule = make_rule(tmp_path, let={"x": "workload.tp"}, applies="x > 1")
    assert "unknown name 'x'" in rule.check()[0].message


def test_many_missing_facts_are_bounded(tmp_path: Path) -> None:
    given = facts({"gpus.devices": [{"index": i} for i in range(100)]})
    outcome = evaluate(make_rule(tmp_path, when="any(g.numa_node == 1 for g in gpus.devices)"), given)
    assert len(outcome.missing) == 13
    assert outcome.missing[-1] == "… 88 more"


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (
            "[g.numa_node for g in gpus.devices]",
            [("gpus.devices[0].numa_node", 0, ""), ("gpus.devices[5].numa_node", 1, "")],
        ),
        ({"expr": "[g.name for g in gpus.devices]", "label": "GPUs"}, [("gpus.devices[].name", ["A", "B"], "GPUs")]),
        ({"expr": "[g.index for g in gpus.devices]", "label": "GPUs"}, [("gpus.devices[].index", [0, 3, 5], "GPUs")]),
        ("workload.tp * 2", [("workload.tp * 2", 8, "")]),
        ("workload.pp", []),
        ("min(g.numa_node for g in gpus.devices if g.index > 3)", [("gpus.devices[5].numa_node", 1, "")]),
        ("workload.tp > 2", [("workload.tp > 2", True, "")]),
        ("['a', 'b']", [("['a', 'b']", ["a", "b"], "")]),
    ],
)
def test_evidence_falls_out_of_the_match(tmp_path: Path, evidence: Any, expected: list[tuple[str, Any, str]]) -> None:
    finding = fires(tmp_path, evidence=[evidence, evidence])
    assert [(entry.fact, entry.value, entry.label) for entry in finding.evidence] == expected


def test_a_long_list_of_evidence_is_bounded(tmp_path: Path) -> None:
    given = facts({"kernel_log.xids": [{"code": i} for i in range(500)], "kernel_log.hung_tasks": ["x"] * 500})
    rule = make_rule(
        tmp_path,
        when="True",
        title="t",
        evidence=["[x.code for x in kernel_log.xids]", "kernel_log.hung_tasks", "[x.order for x in kernel_log.xids]"],
    )
    outcome = evaluate(rule, given)
    assert outcome.candidate is not None
    evidence = outcome.candidate.finding.evidence
    assert len(evidence) <= 24
    assert evidence[16].value == ["x"] * 16 + ["… 484 more"]


def rewrite(workload: Workload, change: Change) -> Rewritten:
    return Rewritten(f"{workload.model.or_none()} {msgspec.json.encode(change).decode()}")


def test_a_change_becomes_the_command_that_the_rewriter_makes(tmp_path: Path) -> None:
    change = {
        "flags": {"tp": "{gpus.visible_count}", "max_model_len": 4096},
        "env": {"X": "a b"},
        "unset": ["Y"],
        "add": ["--z"],
        "remove": ["--w"],
    }
    rule = make_rule(tmp_path, fixes=[{"title": "t", "change": change}])
    outcome = evaluate(rule, facts(GIVEN), rewrite)
    assert outcome.candidate is not None
    fix = outcome.candidate.finding.fixes[0]
    assert fix.env == {"X": "a b"}
    assert msgspec.json.decode(fix.command.removeprefix("m "), type=Change) == Change(
        flags={"tp": "2", "max_model_len": "4096"}, env={"X": "a b"}, unset=("Y",), add=("--z",), remove=("--w",)
    )


def test_options_for_a_command_that_is_not_known_are_words_of_the_fix(tmp_path: Path) -> None:
    rule = make_rule(tmp_path, fixes=[{"title": "TP size 2", "change": {"flags": {"tp": 2}}}])
    outcome = evaluate(rule, facts(GIVEN), lambda _, __: Rewritten(options="`-tp 2`"))
    assert outcome.candidate is not None
    fix = outcome.candidate.finding.fixes[0]
    assert (fix.title, fix.command) == ("TP size 2: `-tp 2`", "")


TP_2 = {"title": "TP size 2", "change": {"flags": {"tp": 2}}}


@pytest.mark.parametrize(
    ("fixes", "titles"),
    [
        ([TP_2, {"title": "look", "command": "true"}], ["look"]),
        ([TP_2], ["TP size 2"]),  # better than nothing
        ([{"title": "set", "change": {"env": {"A": "1"}}}, TP_2], ["set"]),
    ],
)
def test_options_that_the_framework_of_the_log_does_not_have_are_no_fix(
    tmp_path: Path, fixes: list[dict[str, Any]], titles: list[str]
) -> None:
    asked = []

    def refuse(workload: Workload, _: Change) -> Rewritten:
        asked.append(workload.framework.or_none())
        return Rewritten()

    given = facts({**GIVEN, "log.frameworks": ["ray", "llamacpp"]})
    candidate = evaluate(make_rule(tmp_path, fixes=fixes), given, refuse).candidate
    assert candidate is not None
    assert [fix.title for fix in candidate.finding.fixes] == titles
    assert set(asked) == {"llamacpp"}


@pytest.mark.parametrize(
    "fix",
    [
        {"title": "t", "command": "x {workload.pp}"},
        {"title": "t", "change": {"flags": {"tp": "{workload.pp}"}}},
        {"title": "t", "change": {"env": {"A": "{workload.pp}"}}},
        {"title": "t", "change": {"unset": ["{workload.pp}"]}},
        {"title": "t", "command": "x", "when": "workload.tp > 100"},
        {"title": "t", "command": "x", "when": "workload.pp > 1"},
    ],
)
def test_a_fix_that_needs_an_absent_fact_or_whose_condition_is_not_true_is_left_out(tmp_path: Path, fix: Any) -> None:
    finding = fires(tmp_path, fixes=[fix, {"title": "last", "command": "y"}])
    assert [entry.title for entry in finding.fixes] == ["last"]


def test_a_verification_that_needs_an_absent_fact_is_left_out(tmp_path: Path) -> None:
    assert fires(tmp_path, verify="x --pp {workload.pp}").verify == ""


def test_a_rewriter_that_fails_costs_one_fix_and_is_reported(tmp_path: Path) -> None:
    def broken(_: Workload, __: Change) -> Rewritten:
        raise ValueError("no place for it")

    fixes = [{"title": "one", "change": {"flags": {"tp": 1}}}, {"title": "two", "command": "x"}]
    diagnosis = diagnose(rule_set(make_rule(tmp_path, fixes=fixes)), facts(GIVEN), broken)
    assert [fix.title for fix in diagnosis.findings[0].fixes] == ["two"]
    assert diagnosis.not_evaluated[0].missing == ("internal: fix 1: ValueError: no place for it",)


def test_a_rule_with_a_defect_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    rules = rule_set(
        make_rule(tmp_path, id="a", when="workload.tpp > 1"),
        make_rule(tmp_path, id="b", title="{workload.nothing}"),
        make_rule(
            tmp_path,
            id="c",
            when="any(any(a.code == b.code + 9 for b in kernel_log.xids) for a in kernel_log.xids) or True",
        ),
        make_rule(tmp_path, id="d"),
    )
    given = facts({**GIVEN, "kernel_log.xids": [{"code": 7} for _ in range(3000)]})
    diagnosis = diagnose(rules, given)
    assert [finding.id for finding in diagnosis.findings] == ["d"]
    assert [entry.rule for entry in diagnosis.not_evaluated] == ["a", "b", "c"]
    assert all(entry.missing[0].startswith("internal: ") for entry in diagnosis.not_evaluated)


def test_no_facts_at_all_leave_every_rule_undecided_and_crash_none(tmp_path: Path) -> None:
    diagnosis = diagnose(rule_set(make_rule(tmp_path)), Facts())
    assert [entry.rule for entry in diagnosis.not_evaluated] == ["sample"]


def test_the_order_of_rules_and_the_number_of_runs_change_nothing(tmp_path: Path) -> None:
    relations: list[dict[str, Any]] = [
        {"explains": ["r1", "r2"]},
        {"suppresses": ["r3"]},
        {"explains": ["r0"]},
        {},
        {"order": 2},
        {},
    ]
    rules = [make_rule(tmp_path, id=f"r{i}", **changes) for i, changes in enumerate(relations)]
    rules.append(make_rule(tmp_path, id="undecided", when="workload.pp > workload.dp"))
    given = facts(GIVEN)
    first = msgspec.json.encode(diagnose(rule_set(*rules), given))
    for seed in range(5):
        random.Random(seed).shuffle(rules)
        assert msgspec.json.encode(diagnose(rule_set(*rules), given)) == first


def test_the_fingerprint_is_of_the_rule_and_its_subject_only(tmp_path: Path) -> None:
    finding = fires(tmp_path, subject="{[g for g in gpus.devices if g.index == 3]|gpus}")
    assert finding.subject == "gpu:3"
    assert finding.fingerprint == fingerprint("sample", "gpu:3") != fingerprint("sample", "gpu:4")
    assert len(finding.fingerprint) == 16


def test_a_finding_from_elsewhere_is_ranked_with_the_others(tmp_path: Path) -> None:
    outcome = evaluate(make_rule(tmp_path, id="other", tier="log", explains=["tp_exceeds_gpus"]), facts(GIVEN))
    assert outcome.candidate is not None
    diagnosis = diagnose(rule_set(make_rule(tmp_path)), facts(GIVEN), more=[outcome.candidate])
    assert [(finding.id, finding.echo_of) for finding in diagnosis.findings] == [("other", None), ("sample", "other")]


def test_only_and_skip_choose_the_rules(tmp_path: Path) -> None:
    rules = rule_set(make_rule(tmp_path, id="a"), make_rule(tmp_path, id="b"))
    assert [f.id for f in diagnose(rules, facts(GIVEN), only=["a"]).findings] == ["a"]
    assert [f.id for f in diagnose(rules, facts(GIVEN), skip=["a"]).findings] == ["b"]
