"""Puts findings in reading order: each root cause with its echoes, notes apart."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.lazy_pattern import lazy_pattern
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
_OTHER = "unknown"
# Which GPU or pair: `gpus.devices[2].name`, `topology.pairs[0-2].link`. Keys of mappings stay.
_INDEX = lazy_pattern(r"\[\d[\d,-]{0,20}\]")


class Root(Struct, frozen=True):
    """A finding and what only follows from it."""

    finding: Finding
    echoes: tuple[Finding, ...] = ()


class Missing(Struct, frozen=True):
    """What could not be had for one reason, and the rules that wait for it. `detail` may be empty."""

    reason: str
    detail: str
    paths: tuple[str, ...]
    rules: tuple[str, ...]


def roots(findings: Sequence[Finding]) -> list[Root]:
    """Roots by rank, each with its echoes. An echo of a finding that is not there stands for itself.

    `echo_of` names a rule id or a fingerprint; an echo of an echo hangs on the first root of the chain.
    """
    ordered = sorted(findings, key=lambda finding: finding.rank)
    leader_of = [_leader(position, ordered) for position in range(len(ordered))]
    return [
        Root(one, tuple(ordered[i] for i, leader in enumerate(leader_of) if leader == position and i != position))
        for position, one in enumerate(ordered)
        if leader_of[position] == position
    ]


def _leader(position: int, ordered: Sequence[Finding]) -> int:
    """Where the chain of echoes ends; a chain that bites its own tail ends at its best-ranked link."""
    seen = [position]
    while echo_of := ordered[seen[-1]].echo_of:
        parent = next((i for i, one in enumerate(ordered) if echo_of in (one.fingerprint, one.id)), None)
        if parent is None:
            break
        if parent in seen:
            return min(seen)
        seen.append(parent)
    return seen[-1]


def missing(not_evaluated: Sequence[NotEvaluated]) -> list[Missing]:
    """Grouped by reason, those that a user can do something about first; GPUs and pairs are taken together.

    One thing that cannot be read, such as the kernel log, is one group, however many rules and facts wait for it.
    """
    groups: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for entry in not_evaluated:
        for text in entry.missing:
            path, _, why = text.partition(":")
            paths, rules = groups.setdefault(_reason(why), ({}, {}))
            paths[_INDEX.sub("", path.strip())] = None
            rules[entry.rule] = None
    order = (*REASON_ORDER, _OTHER)
    found = [Missing(*reason, tuple(paths), tuple(rules)) for reason, (paths, rules) in groups.items()]
    return sorted(found, key=lambda group: (order.index(group.reason), -len(group.rules)))


def _reason(why: str) -> tuple[str, str]:
    """`no_permission (root only)` as its two parts."""
    word, _, detail = why.strip().partition(" ")
    return (word if word in REASON_ORDER else _OTHER), detail.removeprefix("(").removesuffix(")")
