"""Rules over facts: what fires becomes a finding, what cannot be decided says what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.engine.clean import clean
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.evidence import gather
from gpudoctor.engine.load import RuleSet
from gpudoctor.engine.problem import RuleFileError
from gpudoctor.engine.proof import proof
from gpudoctor.engine.rank import Candidate, conclude
from gpudoctor.engine.remedies import Rewriter, remedies
from gpudoctor.engine.rule import RuleSpec
from gpudoctor.engine.sightings import first_place, hits_of, only_echoes, outlived
from gpudoctor.engine.values import EvaluationLimitError, Frame, Missing, Unknown, Value
from gpudoctor.model.facts import Facts, Log
from gpudoctor.model.finding import Finding, NotEvaluated
from gpudoctor.model.fingerprint import fingerprint
from gpudoctor.model.signature import Seen

MAX_MISSING: Final = 12
_OUTLIVED: Final = 0.4  # how sure a cause can be that the run did not stop for
_MAX_SUBJECT: Final = 200

# What a defect in a rule or in the engine can raise; one rule must not take the others with it.
DEFECTS: Final = (
    RuleFileError,
    EvaluationLimitError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)


class Diagnosis(Struct, frozen=True):
    """The result. `evaluated` counts the rules that could be decided."""

    findings: tuple[Finding, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    evaluated: int


class Outcome(Struct, frozen=True):
    """What became of one rule: a candidate where it fired, and what was missing where it could not be decided."""

    candidate: Candidate | None = None
    missing: tuple[str, ...] = ()


def diagnose(  # noqa: PLR0913 - all but two are named and have defaults
    rules: RuleSet,
    facts: Facts,
    rewrite: Rewriter | None = None,
    *,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    more: Iterable[Candidate] = (),
    seen: Seen | None = None,
) -> Diagnosis:
    """Evaluate the rules. `rewrite` makes the command of a change; `more` are findings from elsewhere to be ranked too.

    `seen` is what logs showed, None where there is none.

    Raises UsageError where `only` or `skip` names nothing.
    """
    candidates = list(more)
    not_evaluated: list[NotEvaluated] = []
    decided = 0
    read: dict[str, Value] = {}
    for rule in rules.select(only, skip):
        outcome = evaluate(rule, facts, rewrite, seen, read)
        decided += not outcome.missing
        if outcome.candidate is not None:
            candidates.append(outcome.candidate)
        if outcome.missing:
            not_evaluated.append(NotEvaluated(rule.id, outcome.missing))
    not_evaluated.sort(key=lambda entry: entry.rule)
    return Diagnosis(conclude(candidates), tuple(not_evaluated), decided)


def evaluate(
    rule: Rule,
    facts: Facts,
    rewrite: Rewriter | None = None,
    seen: Seen | None = None,
    read: dict[str, Value] | None = None,
) -> Outcome:
    """Evaluate one rule. A defect is an outcome, with the missing thing `internal: ...`.

    `read` keeps what was read of these facts, for the next rule.
    """
    try:
        return _evaluate(rule, facts, rewrite, seen, {} if read is None else read)
    except DEFECTS as error:
        return Outcome(missing=(clean(f"internal: {type(error).__name__}: {error}"),))


def _evaluate(rule: Rule, facts: Facts, rewrite: Rewriter | None, seen: Seen | None, read: dict[str, Value]) -> Outcome:
    hits = hits_of(rule.spec, seen) if seen is not None else None
    if rule.applies is not None and rule.applies.truth(Frame(facts, seen=hits, read=read)) is not True:
        return Outcome()
    head = rule.head
    frame = Frame(facts, head.runs, hits, read)
    verdict = head.when.truth(frame)
    if isinstance(verdict, Unknown):
        return Outcome(missing=_missing(verdict.missing))
    if not verdict:
        return Outcome()
    outcome = _fired(rule, frame, rewrite)
    if seen is None or outcome.candidate is None or not rule.spec.signatures:
        return outcome
    return replace(outcome, candidate=_placed(outcome.candidate, rule.spec, seen, facts.log))


def _missing(missing: Missing) -> tuple[str, ...]:
    lines = sorted(clean(f"{path}: {reason}") for path, reason in missing)
    more = len(lines) - MAX_MISSING
    return (*lines[:MAX_MISSING], f"… {more} more") if more > 0 else tuple(lines)


def _placed(candidate: Candidate, spec: RuleSpec, seen: Seen, log: Log) -> Candidate:
    """With the place of its lines in the log; an error that the run outlived is none."""
    finding = candidate.finding
    if finding.severity == "error" and outlived(spec, seen, log):
        confidence = min(finding.confidence, _OUTLIVED)
        why = f"{finding.why} The run went on after that."
        candidate = replace(candidate, finding=replace(finding, severity="warning", confidence=confidence, why=why))
    return replace(candidate, place=first_place(spec, seen), only_echoes=only_echoes(spec, seen))


def _fired(rule: Rule, frame: Frame, rewrite: Rewriter | None) -> Outcome:
    spec, body = rule.spec, rule.body
    subject = clean(body.subject.subject(frame), _MAX_SUBJECT) or "host"
    remedy = remedies(body.fixes, frame, rewrite)
    best = remedy.fixes[0].command if remedy.fixes else ""
    evidence = gather(body.evidence, frame)
    level = next((level for level in body.levels if level.when.truth(frame) is True), None)
    finding = Finding(
        rank=0,
        id=spec.id,
        cause=spec.cause,
        severity=(level and level.severity) or spec.severity,
        confidence=(level and level.confidence) or spec.confidence,
        title=body.title.prose(frame),
        why=body.why.prose(frame),
        subject=subject,
        evidence=evidence,
        fixes=remedy.fixes,
        verify=proof(body.verify.command(frame) or "", frame.facts, evidence, remedy.change, best),
        echo_of=None,
        fingerprint=fingerprint(spec.id, subject),
    )
    candidate = Candidate(finding, spec.order, spec.tier, spec.explains, spec.suppresses)
    return Outcome(candidate, remedy.defects)
