"""Rules as pages: what `explain` and `rules list` show."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec.structs import fields

from gpudoctor.engine.causes import causes
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.load import RuleSet
from gpudoctor.engine.rule import FixSpec
from gpudoctor.model.facts import Facts
from gpudoctor.model.rule_doc import CauseDoc, FixDoc, Reference, RuleDoc

_SEVERITIES = ("error", "warning", "info")
_SECTIONS = frozenset(field.name for field in fields(Facts))


def rule_doc(rule: Rule) -> RuleDoc:
    """One rule as a page."""
    spec = rule.spec
    cause = causes().get(spec.cause)
    return RuleDoc(
        id=spec.id,
        title=spec.title,
        cause=spec.cause,
        cause_meaning=cause.meaning if cause else "",
        area=spec.area,
        severity=spec.severity,
        order=spec.order,
        since=spec.since,
        status=spec.status,
        doc=spec.doc,
        looks_at=tuple(dict.fromkeys(_paths(spec.applies, *spec.let.values(), spec.when))),
        condition=spec.when,
        fixes=tuple(_fix_doc(fix) for fix in spec.fixes),
        verify=spec.verify,
        references=tuple(Reference(entry.title, entry.url, entry.date) for entry in spec.references),
    )


def cause_doc(code: str, rules: RuleSet) -> CauseDoc:
    """A cause with every rule that can find it. Raises KeyError for an unknown code."""
    cause = causes()[code]
    found = sorted((rule for rule in rules.rules if rule.cause == code), key=_telling)
    return CauseDoc(code=code, meaning=cause.meaning, rules=tuple(map(rule_doc, found)))


def _telling(rule: Rule) -> tuple[bool, int, float, int, str]:
    """What is read from the machine tells more of a cause than one line of a log, an error more than a note."""
    spec = rule.spec
    return spec.tier != "fact", _SEVERITIES.index(spec.severity), -spec.confidence, spec.order, spec.id


def _fix_doc(fix: FixSpec) -> FixDoc:
    command = fix.command
    if fix.change is not None:
        change = fix.change
        parts = [f"{name}={value}" for name, value in change.env.items()]
        parts += [f"{name}={value}" for name, value in change.flags.items()]
        parts += [f"without {name}" for name in (*change.unset, *change.remove)]
        parts += list(change.add)
        command = "the launch command with " + ", ".join(parts)
    return FixDoc(title=fix.title, command=command, caveat=fix.caveat, undo=fix.undo, needs=fix.needs)


def _paths(*expressions: str) -> Iterator[str]:
    """The fact paths of expressions, in order. The expressions were checked when the rules were loaded."""
    for expression in expressions:
        if expression:
            yield from _chains(ast.parse(expression.strip(), mode="eval").body)


def _chains(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        text = ast.unparse(node)
        if text.split(".")[0] in _SECTIONS and text.replace(".", "_").isidentifier():
            yield text
            return
    for child in ast.iter_child_nodes(node):
        yield from _chains(child)
