"""Rules with signatures: what they can say of hits, what is refused, and what becomes of a finding."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gpudoctor.cli.findings.rule_set import reader_of
from gpudoctor.engine.cases import run_cases
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.evaluate import diagnose, evaluate
from gpudoctor.engine.lint import lint
from gpudoctor.engine.load import RuleSet, load_rules
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding
from gpudoctor.model.signature import Seen
from tests.engine.samples import make_rule, write_rule

LOG: dict[str, Any] = {
    "tier": "log",
    "title": "Too old: {default(first(seen.old).captures['found'], '')}",
    "signatures": [
        {"name": "old", "pattern": r"driver is too old \(found (?P<found>\d+)\)"},
        {"name": "late", "pattern": "watchdog timed out", "kind": "echo"},
        {"name": "noise", "pattern": "driver is too old for this toy", "kind": "harmless", "note": "a toy"},
    ],
    "when": "any(seen.old) or any(seen.late)",
    "evidence": ["first(seen.old)", "seen.late"],
    "cases": [
        {"name": "fires", "log": "[rank2]: driver is too old (found 11040)\n", "expect": "fires", "title": "11040"},
        {"name": "silent", "log": "all is well\n", "expect": "silent"},
    ],
}


def rule_of(folder: Path, **changes: Any) -> Rule:
    return make_rule(folder, **{**LOG, **changes})


def read(text: str, *rules: Rule) -> tuple[Facts, Seen]:
    reading = reader_of(rules).read_text(text)
    return reading.facts, reading.seen


def finding(text: str, rule: Rule) -> Finding | None:
    facts, seen = read(text, rule)
    outcome = evaluate(rule, facts, None, seen)
    assert outcome.missing == ()
    return outcome.candidate.finding if outcome.candidate is not None else None


def test_a_hit_is_quoted_and_its_captures_are_text(tmp_path: Path) -> None:
    found = finding("one\n[rank2]: driver is too old (found 11040)\n", rule_of(tmp_path))
    assert found is not None
    assert found.title == "Too old: 11040"
    (evidence,) = found.evidence
    assert (evidence.file, evidence.line, evidence.label) == ("log.txt", 2, "rank 2")
    assert evidence.text == "driver is too old (found 11040)"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("number(first(seen.old).captures['found']) > 11000", True),
        ("number(first(seen.old).captures['found']) > 12000", False),
        ("first(seen.old).rank == 2", True),
        ("len(seen.old) == 2", True),
        ("any(h for h in seen.old if contains(h.text, '11050'))", True),
        ("[h for h in seen.old if h.rank == 3]", True),
        ("first(seen.old).captures['nothing'] == ''", False),
        ("any(seen.late)", False),
        ("any(seen.other_rule__thing)", False),
        ("known(log.lines) and log.ranks[0] == 2", True),
    ],
)
def test_expressions_over_hits(tmp_path: Path, when: str, expected: bool) -> None:
    text = "[rank2]: driver is too old (found 11040)\n[rank3]: driver is too old (found 11050)\n"
    assert (finding(text, rule_of(tmp_path, when=when)) is not None) is expected


def test_the_first_level_that_is_true_counts(tmp_path: Path) -> None:
    levels = [
        {"when": "first(seen.old).captures['found'] == '1'", "confidence": 0.1},
        {"when": "any(seen.old)", "confidence": 0.4, "severity": "warning"},
        {"when": "any(seen.old)", "confidence": 0.99},
    ]
    found = finding("driver is too old (found 11040)\n", rule_of(tmp_path, levels=levels))
    assert found is not None
    assert (found.confidence, found.severity) == (0.4, "warning")


@pytest.mark.parametrize(
    ("after", "severity", "confidence"),
    [
        ("", "error", 0.9),
        ("step 7: loss: 2.31\n", "warning", 0.4),
        ("step 7: loss: 2.31\nRuntimeError: driver is too old (found 11040)\n", "error", 0.9),
    ],
)
def test_a_cause_that_the_run_outlived_is_none_to_be_sure_of(
    tmp_path: Path, after: str, severity: str, confidence: float
) -> None:
    rule = rule_of(tmp_path, when="any(seen.old)", confidence=0.9)
    found = finding(f"driver is too old (found 11040)\n{after}", rule)
    assert found is not None
    assert (found.severity, found.confidence) == (severity, confidence)
    assert found.why.endswith("The run went on after that.") is (severity == "warning")


def test_without_a_log_there_are_no_hits(tmp_path: Path) -> None:
    assert evaluate(rule_of(tmp_path), Facts()).candidate is None


def test_a_harmless_line_is_no_hit(tmp_path: Path) -> None:
    assert finding("driver is too old for this toy, driver is too old (found 3)\n", rule_of(tmp_path)) is None


def test_of_two_causes_the_one_that_shows_first_leads_and_reporters_follow(tmp_path: Path) -> None:
    def of(name: str, pattern: str, kind: str, confidence: float) -> Rule:
        signature = {"name": "x", "pattern": pattern, "kind": kind}
        plain = {"title": name, "when": "any(seen.x)", "evidence": ["seen.x"]}
        return rule_of(tmp_path, id=name, signatures=[signature], confidence=confidence, **plain)

    late = of("late", "watchdog timed out", "echo", 1.0)
    rules = (late, of("one", "first trouble", "root", 0.9), of("two", "second trouble", "root", 0.9))
    facts, seen = read("watchdog timed out\nsecond trouble\nfirst trouble\n", *rules)
    found = diagnose(RuleSet(rules), facts, seen=seen).findings
    assert [(entry.id, entry.echo_of) for entry in found] == [("two", None), ("one", None), ("late", "two")]
    facts, seen = read("watchdog timed out\n", late)
    alone = diagnose(RuleSet((late,)), facts, seen=seen).findings
    assert [(entry.id, entry.severity) for entry in alone] == [("late", "error")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signatures": [{"name": "x", "pattern": r"\d+"}]}, "no literal of 5 or more characters"),
        ({"signatures": [{"name": "x", "pattern": "long enough (?=x)"}]}, "not allowed in a pattern"),
        ({"signatures": [{"name": "x", "pattern": "long enough", "unless": "("}]}, "without its )"),
        ({"signatures": [{"name": "x", "pattern": "long enough", "kind": "harmless"}]}, "without a note"),
        ({"signatures": [{"name": "x", "pattern": "long enough"}] * 2}, "two signatures are called 'x'"),
        ({"signatures": [{"name": "x", "pattern": "long enough", "literals": ["y"]}]}, "literals are found"),
        ({"tier": "fact"}, "not of the tier log"),
        ({"when": "any(seen.other)"}, "no signature is called 'other'"),
        ({"when": "any(seen.other_rule__x)"}, "no rule has the signature 'other_rule__x'"),
        ({"let": {"seen": "1"}}, "the name 'seen' is taken"),
        ({"evidence": ["log"]}, "no value"),
        ({"levels": [{"when": "seen.old.text == ''"}]}, "has no field 'text'"),
        ({"cases": [{"name": "f", "given": {}, "expect": "silent"}]}, "no case with expect: fires"),
    ],
)
def test_what_lint_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_rule(tmp_path, **{**LOG, "when": "True", "evidence": ["log.lines"], "title": "t", **changes})
    assert any(message in str(problem) for problem in lint([tmp_path])), [str(p) for p in lint([tmp_path])]


def test_cases_with_a_log_go_through_the_reader(tmp_path: Path) -> None:
    rule = rule_of(tmp_path)
    assert all(result.passed for result in run_cases(rule, lambda text: read(text, rule)))
    wrong = rule_of(tmp_path, cases=[{"name": "f", "log": "nothing\n", "expect": "fires"}])
    (result,) = run_cases(wrong, lambda text: read(text, wrong))
    assert "expected fires, got silent" in str(result.problem)


def test_given_comes_over_what_the_log_says(tmp_path: Path) -> None:
    log = "tensor_parallel_size=2\ndriver is too old (found 1)"
    rule = rule_of(
        tmp_path,
        when="any(seen.old) and workload.tp == 4",
        cases=[{"name": "f", "log": log, "given": {"workload.tp": 4}, "expect": "fires"}],
    )
    (result,) = run_cases(rule, lambda text: read(text, rule))
    assert result.passed, result.problem


def test_packed_rules_know_their_literals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    write_rule(tmp_path / "rules", **LOG)
    assert load_rules(tmp_path / "rules").rules[0].spec.signatures[0].literals == ()
    (rule,) = load_rules(tmp_path / "rules").rules
    assert rule.spec.signatures[0].literals == ("driver is too old (found ",)
    assert rule.check() == ()
