"""Loading folders of rules: form, names, links, and who may write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gpudoctor.engine.cases import run_cases
from gpudoctor.engine.evaluate import diagnose
from gpudoctor.engine.files import read_rule, read_rules
from gpudoctor.engine.load import load_rules
from gpudoctor.engine.problem import RuleFileError
from gpudoctor.errors import UsageError
from gpudoctor.model.facts import Facts
from tests.engine.samples import BASE, write_rule


def problems(folder: Path, *extra: Path) -> list[str]:
    with pytest.raises(RuleFileError) as caught:
        load_rules(folder, *extra)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def extra(tmp_path: Path) -> Path:
    folder = tmp_path / "extra"
    folder.mkdir()
    return folder


def test_rules_come_in_the_order_of_their_ids(own: Path) -> None:
    for name in ("b", "a", "c"):
        write_rule(own, id=name)
    assert [rule.spec.id for rule in load_rules(own).rules] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"severity": "fatal"}, "test/sample.yaml:7: invalid enum value 'fatal'"),
        ({"order": "1"}, "test/sample.yaml:6: expected `int`, got `str`"),
        ({"order": 12}, "test/sample.yaml:6: expected `int` <= 9"),
        ({"confidence": 2.0}, "test/sample.yaml:8: expected `float` <= 1.0"),
        ({"since": 0.1}, "test/sample.yaml:9: expected `str`, got `float`"),
        ({"evidence": [{"exp": "workload.tp"}]}, "unknown field `exp`"),
        ({"fixes": [{"title": "x", "needs": "sudo"}]}, "invalid enum value 'sudo'"),
        ({"fixes": [{"title": "x", "change": {"flag": {}}}]}, "unknown field `flag`"),
        ({"references": [{"title": "t", "url": "file:///x", "date": "2026-11-01"}]}, "matching regex"),
        ({"references": [{"title": "t", "url": "https://x", "date": "soon"}]}, "matching regex"),
        ({"severty": "error"}, "unknown key 'severty' (did you mean severity or"),
        ({"why": None, "doc": None}, "test/sample.yaml:1: lacks doc, why (see docs/rules.md)"),
        (
            {"cause": "tp_exceed_gpus"},
            "test/sample.yaml:4: unknown cause 'tp_exceed_gpus' (did you mean tp_exceeds_gpus",
        ),
    ],
)
def test_a_wrong_form_is_refused_with_its_line(own: Path, changes: dict[str, Any], message: str) -> None:
    write_rule(own, **changes)
    assert message in "\n".join(problems(own))


def test_every_error_of_every_file_is_reported(own: Path) -> None:
    write_rule(own, id="a", severity="bad", order="x", unknown=1)
    write_rule(own, id="b", confidence=7.0)
    (own / "test" / "c.yaml").write_text("a: [")
    assert [line.split(":")[0] for line in problems(own)] == ["test/a.yaml"] * 3 + ["test/b.yaml", "test/c.yaml"]


def test_the_file_name_is_the_id_and_the_folder_the_area(own: Path) -> None:
    write_rule(own, id="right").rename(own / "test" / "wrong.yaml")
    write_rule(own, id="other", area="here").rename(own / "test" / "other.yaml")
    found = problems(own)
    assert "test/other.yaml:5:" in found[0]
    assert "the area 'here' is not the folder's name (write test)" in found[0]
    assert "the id 'right' is not the file's name (write wrong)" in found[1]


@pytest.mark.parametrize(
    ("place", "message"), [("x.yaml", "a rule lies in <area>/<slug>.yaml"), ("test/x.yml", "a rule file ends in .yaml")]
)
def test_a_rule_in_the_wrong_place_is_not_silently_left_out(own: Path, place: str, message: str) -> None:
    (own / "test").mkdir()
    (own / place).write_text("id: x\n")
    assert message in problems(own)[0]


def test_a_folder_that_is_not_there_is_an_error(own: Path) -> None:
    assert "is no folder" in problems(own / "nothing")[0]


def test_ids_are_unique_over_all_folders(own: Path, extra: Path) -> None:
    write_rule(own)
    write_rule(extra, area="other")
    assert "has the same id" in problems(own, extra)[0]


def test_every_expression_of_a_foreign_rule_is_checked_when_it_is_loaded(own: Path, extra: Path) -> None:
    write_rule(
        extra,
        let={"x": "workload.tp + 1"},
        when="x > workload.tpp",
        title="{workload.tp",
        evidence=["gpus.devices"],
        fixes=[{"title": "t", "when": "x", "change": {"env": {"A": "{workload.foo}"}}}],
    )
    found = problems(own, extra)
    assert len(found) == 1  # the condition comes first: texts may need its names
    assert "unknown fact 'workload.tpp'" in found[0]
    write_rule(
        extra,
        let={"x": "workload.tp + 1"},
        title="{workload.tp",
        evidence=["gpus.devices"],
        fixes=[{"title": "t", "when": "x", "change": {"env": {"A": "{workload.foo}"}}}],
    )
    assert len(problems(own, extra)) == 4


@pytest.mark.parametrize("links", [{"explains": ["vram_weight"]}, {"suppresses": ["vram_weights"]}])
def test_a_foreign_rule_that_names_nothing_is_refused(own: Path, extra: Path, links: dict[str, Any]) -> None:
    write_rule(extra, **links)
    assert "nothing is called 'vram_weight" in problems(own, extra)[0]


def test_our_own_rules_are_compiled_only_when_they_are_asked(own: Path) -> None:
    write_rule(own, when="workload.tpp > 1")
    rule = load_rules(own).rules[0]
    assert "unknown fact" in rule.check()[0].message


@pytest.mark.parametrize("place", ["", "test", "test/sample.yaml"])
def test_foreign_rules_that_everybody_can_write_are_refused(own: Path, extra: Path, place: str) -> None:
    write_rule(extra)
    target = extra / place
    target.chmod(target.stat().st_mode | 0o002)
    found = problems(own, extra)
    assert len(found) == 1
    assert f"{target}: can be written by every user" in found[0]


def test_foreign_rules_of_ones_own_are_taken(own: Path, extra: Path) -> None:
    write_rule(own, id="one")
    write_rule(extra, id="two")
    assert len(load_rules(own, extra).rules) == 2


def test_an_unreadable_entry_is_reported_and_the_others_are_read(own: Path) -> None:
    write_rule(own, id="good")
    (own / "test" / "big.yaml").write_bytes(b"x" * 100_000)
    found = read_rules([own])
    assert [rule.spec.id for rule in found.rules] == ["good"]
    assert "bytes long" in found.problems[0].message


def test_only_and_skip_name_rules_and_causes(own: Path) -> None:
    write_rule(own, id="a")
    write_rule(own, id="b", cause="vram_weights")
    rules = load_rules(own)
    assert [rule.spec.id for rule in rules.select(["vram_weights"], [])] == ["b"]
    assert [rule.spec.id for rule in rules.select([], ["a"])] == ["b"]
    assert [rule.spec.id for rule in rules.select(["a", "b"], ["vram_weights"])] == ["a"]
    with pytest.raises(UsageError) as caught:
        rules.select(["vram_weihgts"], [])
    assert "did you mean vram_weights" in caught.value.hint


def test_a_mistake_in_a_let_is_reported_once(own: Path, extra: Path) -> None:
    write_rule(extra, let={"x": "workload.tpp", "y": "x + 1"}, when="x > y")
    assert len(problems(own, extra)) == 1


@pytest.mark.parametrize("name", ["workload", "count", "1a", "_x", "a b"])
def test_a_let_may_not_hide_a_fact_or_function(own: Path, extra: Path, name: str) -> None:
    write_rule(extra, let={name: "workload.tp"})
    assert any("is taken" in line or "is no name" in line for line in problems(own, extra))


def test_the_position_of_a_mistake_in_a_text_is_that_of_the_file(own: Path, extra: Path) -> None:
    file = write_rule(extra, title="TP {workload.tpp} here")
    line, column = next(
        (number, text.index("workload.tpp") + 1)
        for number, text in enumerate(file.read_text().splitlines(), start=1)
        if "workload.tpp" in text
    )
    assert problems(own, extra)[0].startswith(f"{file}:{line}:{column}: unknown fact")


YAML = """
id: plain
title: "TP {workload.tp}"
cause: tp_exceeds_gpus
area: test
order: 1
severity: error
confidence: 0.9
since: 0.1.0
status: stable
doc: words
when: workload.tp > 1
why: because
evidence: [workload.tp]
fixes: [{title: t, command: x}]
cases:
  - {name: a, given: {workload.tp: 2}, expect: fires}
  - {name: b, given: {workload.tp: 1}, expect: fires}
"""


def test_cases_are_read_only_when_they_are_asked_for_and_keep_their_lines(own: Path) -> None:
    (own / "test").mkdir()
    (own / "test" / "plain.yaml").write_text(YAML)
    rule = load_rules(own).rules[0]
    whole = read_rule(own / "test" / "plain.yaml").spec
    assert {name: getattr(whole, name) for name in rule.spec.__struct_fields__} == msgspec.structs.asdict(rule.spec)
    results = run_cases(rule)
    assert [result.passed for result in results] == [True, False]
    assert results[1].problem is not None
    assert results[1].problem.line == 18


def test_a_mistake_in_the_cases_of_our_own_rules_is_found_by_checking(own: Path) -> None:
    (own / "test").mkdir()
    (own / "test" / "plain.yaml").write_text(YAML.replace("expect: fires}", "expect: burns}"))
    assert "invalid enum value 'burns'" in load_rules(own).rules[0].check()[0].message


def test_preparing_compiles_and_leaves_mistakes_for_the_evaluation(own: Path) -> None:
    write_rule(own, when="workload.tpp > 1")
    rules = load_rules(own)
    rules.prepare()
    assert diagnose(rules, Facts()).not_evaluated[0].missing[0].startswith("internal: RuleFileError")


def test_the_base_of_these_tests_is_a_good_rule(own: Path) -> None:
    write_rule(own)
    assert load_rules(own).rules[0].spec.id == BASE["id"]
