"""Rules over facts: what fires becomes a finding, what cannot be decided says what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gpudoctor.engine.clean import clean
from gpudoctor.engine.compiled import Rule
from gpudoctor.engine.evidence import gather
from gpudoctor.engine.load import RuleSet
from gpudoctor.engine.problem import RuleFileError
from gpudoctor.engine.rank import Candidate, conclude
from gpudoctor.engine.remedies import Rewriter, remedies
from gpudoctor.engine.values import EvaluationLimitError, Frame, Missing, Unknown
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding, NotEvaluated

MAX_MISSING: Final = 12
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


def diagnose(
    rules: RuleSet,
    facts: Facts,
    rewrite: Rewriter | None = None,
    *,
    only: Iterable[str] = (),
    skip: Iterable[str] = (),
    more: Iterable[Candidate] = (),
) -> Diagnosis:
    """Evaluate the rules. `rewrite` makes the command of a change; `more` are findings from elsewhere to be ranked too.

    Raises UsageError where `only` or `skip` names nothing.
    """
    candidates = list(more)
    not_evaluated: list[NotEvaluated] = []
    decided = 0
    for rule in rules.select(only, skip):
        outcome = evaluate(rule, facts, rewrite)
        decided += not outcome.missing
        if outcome.candidate is not None:
            candidates.append(outcome.candidate)
        if outcome.missing:
            not_evaluated.append(NotEvaluated(rule.spec.id, outcome.missing))
    not_evaluated.sort(key=lambda entry: entry.rule)
    return Diagnosis(conclude(candidates), tuple(not_evaluated), decided)


def evaluate(rule: Rule, facts: Facts, rewrite: Rewriter | None = None) -> Outcome:
    """Evaluate one rule. A defect is an outcome, with the missing thing `internal: ...`."""
    try:
        return _evaluate(rule, facts, rewrite)
    except DEFECTS as error:
        return Outcome(missing=(clean(f"internal: {type(error).__name__}: {error}"),))


def _evaluate(rule: Rule, facts: Facts, rewrite: Rewriter | None) -> Outcome:
    if rule.applies is not None and rule.applies.truth(Frame(facts)) is not True:
        return Outcome()
    head = rule.head
    frame = Frame(facts, head.runs)
    verdict = head.when.truth(frame)
    if isinstance(verdict, Unknown):
        return Outcome(missing=_missing(verdict.missing))
    return _fired(rule, frame, rewrite) if verdict else Outcome()


def _missing(missing: Missing) -> tuple[str, ...]:
    lines = sorted(clean(f"{path}: {reason}") for path, reason in missing)
    more = len(lines) - MAX_MISSING
    return (*lines[:MAX_MISSING], f"… {more} more") if more > 0 else tuple(lines)


def _fired(rule: Rule, frame: Frame, rewrite: Rewriter | None) -> Outcome:
    spec, body = rule.spec, rule.body
    subject = clean(body.subject.prose(frame), _MAX_SUBJECT) or "host"
    fixes, defects = remedies(body.fixes, frame, rewrite)
    finding = Finding(
        rank=0,
        id=spec.id,
        cause=spec.cause,
        severity=spec.severity,
        confidence=spec.confidence,
        title=body.title.prose(frame),
        why=body.why.prose(frame),
        subject=subject,
        evidence=gather(body.evidence, frame),
        fixes=fixes,
        verify=body.verify.command(frame) or "",
        echo_of=None,
        fingerprint=fingerprint(spec.id, subject),
    )
    candidate = Candidate(finding, spec.order, spec.tier, spec.explains, spec.suppresses)
    return Outcome(candidate, defects)


def fingerprint(rule_id: str, subject: str) -> str:
    """The identity of a finding across runs: never of text or measured numbers."""
    import hashlib  # loads OpenSSL

    return hashlib.sha256(f"{rule_id}\n{subject}".encode()).hexdigest()[:16]
