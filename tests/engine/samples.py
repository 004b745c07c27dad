"""A minimal rule, and what tests do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gpudoctor.engine.cases import facts_of
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.expression import compile_condition, compile_expression
from gpudoctor.engine.files import read_rule
from gpudoctor.engine.load import RuleSet
from gpudoctor.engine.values import Frame, Truth, Value
from gpudoctor.model.facts import Facts

BASE: dict[str, Any] = {
    "id": "sample",
    "title": "TP size {workload.tp}",
    "cause": "tp_exceeds_gpus",
    "area": "test",
    "order": 1,
    "severity": "error",
    "confidence": 0.9,
    "since": "0.1.0",
    "status": "stable",
    "doc": "word " * 50,
    "when": "workload.tp > gpus.visible_count",
    "why": "because",
    "evidence": ["workload.tp"],
    "fixes": [{"title": "do it", "command": "true"}],
    "references": [{"title": "t", "url": "https://example.org/", "date": "2026-11-01"}],
    "cases": [
        {"name": "fires", "given": {"workload.tp": 4, "gpus.visible_count": 2}, "expect": "fires"},
        {"name": "silent", "given": {"workload.tp": 2, "gpus.visible_count": 2}, "expect": "silent"},
        {"name": "unknown", "given": {"workload.tp": 2}, "expect": "unknown"},
    ],
}


def write_rule(folder: Path, **changes: object) -> Path:
    """Write the minimal rule with some keys changed (None takes a key away). JSON is YAML."""
    keys = {name: value for name, value in {**BASE, **changes}.items() if value is not None}
    file = folder / str(keys["area"]) / f"{keys['id']}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(keys), indent=2))
    return file


def make_rule(folder: Path, **changes: object) -> Rule:
    return read_rule(write_rule(folder, **changes))


def rule_set(*rules: Rule) -> RuleSet:
    return RuleSet(tuple(rules))


def evaluate(text: str, given: dict[str, Any] | None = None) -> Value:
    return compile_expression(text, {}).run(Frame(facts(given)))


def truth_of(text: str, given: dict[str, Any] | None = None) -> Truth:
    return compile_condition(text, {}).truth(Frame(facts(given)))


def facts(given: dict[str, Any] | None = None) -> Facts:
    return facts_of(given or {})
