"""What the rules make of a smoke run. What no rule knows is said by the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gpudoctor.cli.findings.rule_set import rule_set
from gpudoctor.engine.evaluate import Diagnosis, diagnose
from gpudoctor.engine.rank import Candidate

if TYPE_CHECKING:
    from gpudoctor.model.facts import Facts
    from gpudoctor.smoke.run import SmokeResult

AREA = "smoke"
_ORDER = 9


def smoke_rules(rule_dirs: Sequence[Path] = ()) -> tuple[str, ...]:
    """The ids of the rules that read a smoke run."""
    return tuple(rule.spec.id for rule in rule_set(tuple(rule_dirs)).rules if rule.spec.area == AREA)


def diagnose_smoke(facts: Facts, result: SmokeResult) -> Diagnosis:
    """What is proved of the run alone, by derived facts that hold it."""
    rules = rule_set(())
    found = diagnose(rules, facts, only=smoke_rules())
    return found if found.findings else replace(found, findings=result.findings)


def unexplained(diagnosis: Diagnosis, result: SmokeResult) -> tuple[Candidate, ...]:
    """What the run says of itself, to be ranked with the rest; nothing where a rule already names the cause."""
    ours = frozenset(smoke_rules())
    if any(finding.id in ours for finding in diagnosis.findings):
        return ()
    named = {finding.cause for finding in diagnosis.findings if finding.severity == "error"}
    return tuple(
        Candidate(finding, order=_ORDER, tier="proof", explains=("collective_desync",))
        for finding in result.findings
        if finding.cause not in named
    )
