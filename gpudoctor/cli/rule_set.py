"""The rules of a command line, loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gpudoctor.engine.load import RuleSet, load_rules
from gpudoctor.paths import rules_dir


@cache
def rule_set(extra: tuple[Path, ...]) -> RuleSet:
    """The packaged rules and those of `extra`: `check` asks for them while the probes still run."""
    return load_rules(rules_dir(), *extra)
