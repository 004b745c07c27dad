"""Puts findings in reading order: each root cause with its echoes, notes apart."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.model.finding import Finding, NotEvaluated

REASON_ORDER = (
    "no_permission",
    "tool_missing",
    "timeout",
    "failed",
    "parse_error",
    "not_supported",
    "not_provided",
    "not_applicable",
)


class Root(Struct, frozen=True):
    """A finding and what only follows from it."""

    finding: Finding
    echoes: tuple[Finding, ...] = ()


class Missing(Struct, frozen=True):
    """What could not be had for one reason, and how many rules wait for it."""

    reason: str
    paths: tuple[str, ...]
    rules: int


def roots(findings: Sequence[Finding]) -> list[Root]:
    """Roots by rank, each with its echoes. An echo of a finding that is not there stands for itself.

    `echo_of` names a rule id or a fingerprint; an echo of an echo hangs on the first root of the chain.
    """
    ordered = sorted(findings, key=lambda finding: finding.rank)
    top = {finding.rank: _root_of(finding, ordered) for finding in ordered}
    leaders = [finding for finding in ordered if top[finding.rank] is finding]
    return [
        Root(leader, tuple(one for one in ordered if top[one.rank] is leader and one is not leader))
        for leader in leaders
    ]


def _root_of(finding: Finding, findings: Sequence[Finding]) -> Finding:
    seen = {finding.rank}
    while finding.echo_of:
        parent = next((one for one in findings if finding.echo_of in (one.fingerprint, one.id)), None)
        if parent is None or parent.rank in seen:
            break
        seen.add(parent.rank)
        finding = parent
    return finding


def missing(not_evaluated: Sequence[NotEvaluated]) -> list[Missing]:
    """Grouped by reason, the reasons that a user can do something about first."""
    paths: dict[str, dict[str, None]] = {}
    rules: dict[str, set[str]] = {}
    for entry in not_evaluated:
        for text in entry.missing:
            path, _, why = text.partition(":")
            reason = next((word for word in why.split()[:1] if word in REASON_ORDER), "unknown")
            paths.setdefault(reason, {})[path.strip()] = None
            rules.setdefault(reason, set()).add(entry.rule)
    ranked = [reason for reason in (*REASON_ORDER, "unknown") if reason in paths]
    return [Missing(reason, tuple(paths[reason]), len(rules[reason])) for reason in ranked]
