"""Every rule that we ship: its form, its documentation and its own cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpudoctor import __version__
from gpudoctor.cli.findings.rule_set import log_reader, rule_set
from gpudoctor.engine.cases import run_cases
from gpudoctor.engine.files import read_rule
from gpudoctor.engine.lint import lint
from gpudoctor.engine.load import load_rules
from gpudoctor.engine.rule import RuleSpec
from gpudoctor.engine.version import parse_version
from gpudoctor.paths import log_rules_dir, rules_dir
from tests.placeholders import filled, placeholders

FILES = sorted(rules_dir().glob("*/*.yaml"))
LOG_FILES = sorted(log_rules_dir().glob("*/*.yaml"))
READ_LOG = log_reader(rule_set((), logs=True).rules)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_cases_of_a_rule_pass(file: Path) -> None:
    results = run_cases(read_rule(file))
    assert [str(result.problem) for result in results if not result.passed] == []


@pytest.mark.parametrize("file", LOG_FILES, ids=lambda file: file.stem)
def test_the_cases_of_a_rule_for_logs_pass(file: Path) -> None:
    results = run_cases(read_rule(file), READ_LOG)
    assert [str(result.problem) for result in results if not result.passed] == []


@pytest.mark.parametrize("file", FILES + LOG_FILES, ids=lambda file: file.stem)
def test_the_commands_of_a_rule_stand_for_nothing_else(file: Path) -> None:
    spec = read_rule(file).spec
    commands = [filled(text) for text in (*(fix.command for fix in spec.fixes), spec.verify)]
    assert [word for command in commands for word in placeholders(command)] == []


def test_a_verify_that_checks_leaves_the_run_to_the_engine() -> None:
    rules = load_rules(rules_dir(), logs=log_rules_dir()).rules
    told = [rule.id for rule in rules if re.match(r"gpudoctor (check .*(--tp|--model|-- )|fit )", rule.spec.verify)]
    assert told == ["division-spoken-of", "tp-does-not-divide"]  # `fit` says of any size whether it is legal


def test_no_command_asks_what_the_program_refuses() -> None:
    rules = load_rules(rules_dir(), logs=log_rules_dir()).rules
    commands = [(rule.id, text) for rule in rules for text in (*(f.command for f in rule.spec.fixes), rule.spec.verify)]
    assert [one for one in commands if re.search(r"lspci .*-d [0-9a-f]{4}(?!:)", one[1])] == []
    assert [one for one in commands if re.match(r"gpudoctor nccl-test .*--worker", one[1])] == []


def test_lint_finds_nothing() -> None:
    assert [str(problem) for problem in lint([rules_dir(), log_rules_dir()])] == []


def test_no_rule_is_of_a_later_version_than_this() -> None:
    now = parse_version(__version__)
    rules = load_rules(rules_dir(), logs=log_rules_dir()).rules
    assert now is not None
    assert [rule.id for rule in rules if (parse_version(rule.spec.since) or now) > now] == []


def test_all_rules_load_together_and_as_quickly_as_they_can() -> None:
    rules = load_rules(rules_dir()).rules
    assert len(rules) == len(FILES)
    # Read up to the cases, not as a whole: `cases:` is the last key, on a line of its own.
    assert [rule.spec.id for rule in rules if type(rule.spec) is not RuleSpec] == []
