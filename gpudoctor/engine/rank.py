"""The order of findings: what is suppressed, what is only an echo, and which comes first. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.engine.rule import Tier
from gpudoctor.model.finding import SEVERITIES, Finding

_TIERS: Final[dict[Tier, int]] = {"proof": 0, "log": 1, "fact": 2}


class Candidate(Struct, frozen=True):
    """A finding before it has a rank, and what decides about its rank."""

    finding: Finding
    order: int = 9  # place in the diagnostic order
    tier: Tier = "fact"
    explains: tuple[str, ...] = ()
    suppresses: tuple[str, ...] = ()
    place: int = 0  # in the log: of two causes the one that shows first is the root
    only_echoes: bool = False  # what the log shows of it only reports what happened elsewhere


def conclude(candidates: Iterable[Candidate]) -> tuple[Finding, ...]:
    """Rank the findings: suppressed ones are dropped, echoes come last and are at most warnings."""
    ranked = sorted(candidates, key=_key)
    dropped = {position for _, position in _edges(ranked, _suppresses)}
    ranked = [candidate for position, candidate in enumerate(ranked) if position not in dropped]
    roots = _with_reporters(ranked, _roots(ranked))
    worst = _worst_of_echoes(ranked, roots)
    settled = sorted(
        (
            _echo(candidate, ranked[roots[i]].finding.id) if i in roots else _root(candidate, worst.get(i))
            for i, candidate in enumerate(ranked)
        ),
        key=_key,
    )
    return tuple(replace(candidate.finding, rank=rank) for rank, candidate in enumerate(settled, start=1))


def _key(candidate: Candidate) -> tuple[bool, bool, bool, int, int, tuple[float, float, float], str]:
    finding = candidate.finding
    surest, order = -finding.confidence, candidate.order
    return (
        finding.echo_of is not None,
        # A remark is never the root cause, however good its evidence.
        finding.severity == "info",
        candidate.tier != "proof",
        SEVERITIES.index(finding.severity),
        _TIERS[candidate.tier],
        (surest, candidate.place, order) if candidate.tier == "log" else (order, surest, 0),
        finding.id,
    )


def _suppresses(one: Candidate, other: Candidate) -> bool:
    return other.finding.id in one.suppresses


def _explains(one: Candidate, other: Candidate) -> bool:
    if one.finding.severity == "info" != other.finding.severity:
        return False  # a remark is never the root of more than a remark
    return other.finding.id in one.explains or other.finding.cause in one.explains


def _edges(ranked: Sequence[Candidate], relation: Callable[[Candidate, Candidate], bool]) -> list[tuple[int, int]]:
    """The pairs in relation, best-ranked first, without those that would close a circle."""
    below: list[set[int]] = [set() for _ in ranked]
    edges = []
    for i, one in enumerate(ranked):
        for j, other in enumerate(ranked):
            if i != j and relation(one, other) and not _reaches(below, j, i):
                below[i].add(j)
                edges.append((i, j))
    return edges


def _reaches(below: Sequence[set[int]], start: int, goal: int) -> bool:
    todo, seen = [start], {start}
    while todo:
        for further in below[todo.pop()] - seen:
            if further == goal:
                return True
            seen.add(further)
            todo.append(further)
    return False


def _roots(ranked: Sequence[Candidate]) -> dict[int, int]:
    """For each echo its root: the best-ranked finding that explains it, and what explains that one in turn."""
    parents: dict[int, int] = {}
    for i, j in _edges(ranked, _explains):
        parents.setdefault(j, i)
    roots = {}
    for echo in parents:
        root = echo
        while root in parents:
            root = parents[root]
        roots[echo] = root
    return roots


def _with_reporters(ranked: Sequence[Candidate], roots: dict[int, int]) -> dict[int, int]:
    """Whoever only reports what happened elsewhere is the echo of the best root, where there is one."""
    best = next(
        (
            i
            for i, candidate in enumerate(ranked)
            if not candidate.only_echoes and candidate.finding.severity == "error" and i not in roots
        ),
        None,
    )
    if best is None:
        return roots
    found = dict(roots)
    for i, candidate in enumerate(ranked):
        if candidate.only_echoes:
            found[i] = best
    return {echo: found.get(root, root) for echo, root in found.items()}


def _worst_of_echoes(ranked: Sequence[Candidate], roots: dict[int, int]) -> dict[int, int]:
    """For each root the place in SEVERITIES of its worst echo."""
    worst: dict[int, int] = {}
    for echo, root in roots.items():
        place = SEVERITIES.index(ranked[echo].finding.severity)
        worst[root] = min(place, worst.get(root, place))
    return worst


def _root(candidate: Candidate, worst_echo: int | None) -> Candidate:
    """What explains an error is one: the run fails because of it."""
    place = SEVERITIES.index(candidate.finding.severity)
    if worst_echo is None or worst_echo >= place:
        return candidate
    return replace(candidate, finding=replace(candidate.finding, severity=SEVERITIES[worst_echo]))


def _echo(candidate: Candidate, root: str) -> Candidate:
    severity = "warning" if candidate.finding.severity == "error" else candidate.finding.severity
    return replace(candidate, finding=replace(candidate.finding, echo_of=root, severity=severity))
