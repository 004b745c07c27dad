"""The rules of a command line are loaded once."""

from __future__ import annotations

from gpudoctor.cli.findings.rule_set import rule_set


def test_however_the_same_rules_are_asked_for_they_are_loaded_once() -> None:
    assert rule_set(()) is rule_set((), logs=False)
    assert rule_set((), logs=True) is not rule_set(())
