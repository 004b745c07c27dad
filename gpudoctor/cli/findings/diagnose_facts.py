"""Facts in, findings out: rules are loaded, facts derived, the engine run. Live and offline share this."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gpudoctor.cli.findings.rule_set import rule_set
from gpudoctor.derive import derive
from gpudoctor.engine.evaluate import Diagnosis, diagnose
from gpudoctor.engine.rank import Candidate
from gpudoctor.model.change import Change, Rewritten
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.signature import Seen


def diagnose_facts(
    raw: Facts,
    *,
    rule_dirs: Sequence[Path] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    seen: Seen | None = None,
    more: Sequence[Candidate] = (),
) -> tuple[Facts, Diagnosis]:
    """Derived facts and what the rules say of them. `seen` is what logs showed, None where there is none.

    `more` are findings from elsewhere, to be ranked with those of the rules.

    Raises:
        UsageError: a rule directory cannot be used, or --only/--skip names no rule.
    """
    rules = rule_set(tuple(rule_dirs), logs=seen is not None)
    facts = derive(raw)
    return facts, diagnose(rules, facts, only=only, skip=skip, rewrite=_rewrite, seen=seen, more=more)


def _rewrite(workload: Workload, change: Change) -> Rewritten:
    """The changed command, or the options to put into one. What changes commands is loaded when there is a change."""
    from gpudoctor.workload.generic import advice
    from gpudoctor.workload.rewrite import rewrite

    options = "" if workload.command.known else advice(workload, change)
    return Rewritten(rewrite(workload, change), options)
