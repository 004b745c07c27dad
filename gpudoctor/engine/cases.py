"""The cases inside a rule: facts as the case gives them, and what the rule makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, cast

import msgspec

from gpudoctor.engine.catalogue import did_you_mean, entries, fields
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.evaluate import Outcome, evaluate
from gpudoctor.engine.kinds import Kind
from gpudoctor.engine.problem import Problem, SpecError
from gpudoctor.engine.rule import CaseSpec
from gpudoctor.engine.yaml_strict import Plain
from gpudoctor.model.change import Change, Rewritten
from gpudoctor.model.fact import REASONS
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.finding import Finding
from gpudoctor.model.signature import Seen

_SOURCE: Final = "case"


# How a case's text becomes facts and sightings: what reads logs is above the engine.
ReadLog = Callable[[str], tuple[Facts, Seen]]


class CaseResult(msgspec.Struct, frozen=True):
    """How one case went; `problem` says what differs, None where nothing does."""

    rule: str
    name: str
    problem: Problem | None = None

    @property
    def passed(self) -> bool:
        """Whether the rule did what the case expects."""
        return self.problem is None


def run_cases(rule: Rule, read_log: ReadLog | None = None) -> list[CaseResult]:
    """Run every case of a rule whose form is right; those with a `log` need `read_log`."""
    return [_run_case(rule, position, case, read_log) for position, case in enumerate(rule.cases)]


def _run_case(rule: Rule, position: int, case: CaseSpec, read_log: ReadLog | None) -> CaseResult:
    seen: Seen = {}
    base = Facts()
    if case.log and read_log is not None:
        base, seen = read_log(case.log)
    try:
        facts = facts_of(cast("Mapping[str, Plain]", case.given), base)
    except SpecError as error:
        about = next((path for path in case.given if path in error.message), "")
        problem = rule.document.problem(("cases", position, "given", about), error.message, error.hint)
        return CaseResult(rule.spec.id, case.name, problem)
    outcome = evaluate(rule, facts, _plain_command, seen)
    wrong = next(_differences(case, outcome), None)
    if wrong is None:
        return CaseResult(rule.spec.id, case.name)
    key, message = wrong
    problem = rule.document.problem(("cases", position, key), f"case {case.name!r}: {message}")
    return CaseResult(rule.spec.id, case.name, problem)


def _plain_command(_: Workload, change: Change) -> Rewritten:
    """A stand-in for the rewriter that shows all of a change."""
    words = [f"{name}={value}" for name, value in change.env.items()]
    words += [f"-u {name}" for name in change.unset]
    words += [f"{name}={value}" for name, value in change.flags.items()]
    return Rewritten(" ".join([*words, *change.add, *(f"no {name}" for name in change.remove)]))


def _differences(case: CaseSpec, outcome: Outcome) -> Iterator[tuple[str, str]]:
    finding = outcome.candidate.finding if outcome.candidate is not None else None
    came = "fires" if finding is not None else "unknown" if outcome.missing else "silent"
    detail = f" ({'; '.join(outcome.missing)})" if outcome.missing else ""
    if came != case.expect or any(line.startswith("internal:") for line in outcome.missing):
        yield "expect", f"expected {case.expect}, got {came}{detail}"
        return
    if case.missing and not any(case.missing in line for line in outcome.missing):
        yield "missing", f"missing is {'; '.join(outcome.missing) or 'nothing'}"
    if finding is not None:
        yield from _finding_differences(case, finding)


def _finding_differences(case: CaseSpec, finding: Finding) -> Iterator[tuple[str, str]]:
    for key, part, text in (
        ("title", case.title, finding.title),
        ("subject", case.subject, finding.subject),
        ("severity", case.severity, finding.severity),
        ("fix", case.fix, "\n".join([fix.title + "\n" + fix.command for fix in finding.fixes[:1]])),
    ):
        if part not in text:
            yield key, f"{part!r} is not in the {key}: {text!r}"
    if "?" in finding.title:
        yield "given", f"the title shows an absent fact as ?: {finding.title!r}: give it, or use default(...)"
    if not finding.evidence:
        yield "given", "fires without any evidence"
    if not finding.fixes:
        yield "given", "fires without any fix that can be used: add one without conditions"


def facts_of(given: Mapping[str, Plain], base: Facts | None = None) -> Facts:
    """Facts with the values of a case; everything else is as in `base`, or not provided. Raises SpecError."""
    tree: dict[str, dict[str, Plain]] = {}
    for path, value in given.items():
        section, _, name = path.partition(".")
        struct = fields(Facts)[section].kind.struct if section in fields(Facts) else None
        if struct is None or name not in fields(struct):
            paths = (entry.path for entry in entries() if "[" not in entry.path)
            raise SpecError(f"unknown fact {path!r}", did_you_mean(path, paths))
        tree.setdefault(section, {})[name] = _fact(value, fields(struct)[name].kind, path)
    try:
        found = msgspec.convert(tree, Facts)
        return found if base is None else _over(base, found, tree)
    except msgspec.ValidationError as error:
        raise SpecError(str(error).replace(".value", ""), "compare with the types of the catalogue") from error


def _over(base: Facts, given: Facts, tree: Mapping[str, Mapping[str, Plain]]) -> Facts:
    """`base` with what was given in its place."""
    sections = {
        name: msgspec.structs.replace(
            getattr(base, name), **{field: getattr(getattr(given, name), field) for field in values}
        )
        for name, values in tree.items()
    }
    return msgspec.structs.replace(base, **sections)


def _fact(value: Plain, kind: Kind, path: str) -> Plain:
    if isinstance(value, dict) and isinstance(value.get("absent"), str) and value.keys() <= {"absent", "detail"}:
        if value["absent"] not in REASONS:
            raise SpecError(f"{path}: {value['absent']!r} is no reason", "one of " + ", ".join(REASONS))
        return {"source": _SOURCE, **value}
    return {"value": _value(value, kind, path), "source": _SOURCE}


def _value(value: Plain, kind: Kind, path: str) -> Plain:
    element = kind.element
    if element is None or element.struct is None:
        return value
    if not isinstance(value, list):
        raise SpecError(f"{path}: a list of {element} is needed")
    return [_item(item, element.struct, f"{path}[{i}]") for i, item in enumerate(value)]


def _item(item: Plain, struct: type[msgspec.Struct], path: str) -> Plain:
    if not isinstance(item, dict):
        raise SpecError(f"{path}: a {struct.__name__} is a mapping of its fields")
    known = fields(struct)
    for name in item:
        if name not in known:
            raise SpecError(f"{path}: unknown field {name!r}", did_you_mean(name, known))
    return {
        name: value if known[name].plain else _fact(value, known[name].kind, f"{path}.{name}")
        for name, value in item.items()
    }
