"""The signatures of rules: what the scanner gets, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from typing import Final

from msgspec.structs import replace

from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.problem import Problem
from gpudoctor.engine.rule import RuleSpec
from gpudoctor.engine.yaml_strict import Path
from gpudoctor.logs.pattern import check_pattern, literals_of
from gpudoctor.logs.pattern_parser import PatternError
from gpudoctor.model.signature import Signature, signature_key

_REFERENCE: Final = re.compile(r"\bseen\.(\w{1,80})")


def signatures_of(rules: Iterable[Rule]) -> tuple[Signature, ...]:
    """Every signature of these rules."""
    return tuple(
        Signature(signature_key(rule.spec.id, one.name), one.pattern, one.kind, one.unless, one.note, one.literals)
        for rule in rules
        for one in rule.spec.signatures
    )


def with_literals(spec: RuleSpec) -> RuleSpec:
    """The rule with what its patterns need in a line: for the packed form."""
    return replace(spec, signatures=tuple(replace(one, literals=literals_of(one.pattern)) for one in spec.signatures))


def signature_problems(spec: RuleSpec) -> Iterator[tuple[Path, str, str]]:
    """Where, what, and what to do."""
    names: set[str] = set()
    for position, one in enumerate(spec.signatures):
        place: Path = ("signatures", position)
        if one.name in names:
            yield (*place, "name"), f"two signatures are called {one.name!r}", "rename one"
        names.add(one.name)
        yield from _pattern((*place, "pattern"), one.pattern, literal=True)
        if one.unless:
            yield from _pattern((*place, "unless"), one.unless, literal=False)
        if one.kind == "harmless" and not one.note:
            yield place, "a harmless line without a note", "say why it means nothing"
    if spec.signatures and spec.tier != "log":
        yield ("tier",), "signatures in a rule that is not of the tier log", "tier: log, and the file into log_rules/"


def _pattern(place: Path, pattern: str, *, literal: bool) -> Iterator[tuple[Path, str, str]]:
    try:
        check_pattern(pattern, literal=literal)
    except PatternError as error:
        yield place, error.message, error.hint


def foreign_references(rule: Rule, keys: Set[str]) -> list[Problem]:
    """`seen.other_rule__name` that no rule has."""
    spec = rule.spec
    texts: list[tuple[Path, str]] = [(("when",), spec.when), (("applies",), spec.applies)]
    texts += [(("let", name), text) for name, text in spec.let.items()]
    texts += [(("levels", i, "when"), level.when) for i, level in enumerate(spec.levels)]
    return [
        rule.document.problem(place, f"no rule has the signature {name!r}")
        for place, text in texts
        for name in _REFERENCE.findall(text)
        if "__" in name and name not in keys
    ]
