"""Hits of all files in one order that does not depend on the order in which the files were named."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gpudoctor.logs.clean import Naming
from gpudoctor.logs.kept import Kept, RawHit
from gpudoctor.logs.scan import Scanned
from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.signature import Hit, Seen, Sighting, SignatureKind


def sighted(scanned: Sequence[Scanned], kinds: Mapping[str, SignatureKind]) -> Seen:
    """Every signature's hits in time order; where no times are told, by file name and line."""
    merged: dict[str, list[Kept]] = {}
    for one in scanned:
        for key, kept in one.hits.items():
            merged.setdefault(key, []).append(kept)
    several = len(nodes(scanned, ("carrier",))) > 1
    raw = {key: [hit for kept in parts for hit in kept.hits()] for key, parts in merged.items()}
    when = _times([hit for hits in raw.values() for hit in hits])
    places = {line: (seconds, *line) for line, seconds in when.items()}
    ordinals = {place: i for i, place in enumerate(sorted(places.values()))}

    def ordinal(hit: RawHit) -> int:
        return ordinals[places[_line(hit)]]

    return {
        key: Sighting(
            tuple(_hit(hit, ordinal(hit), several=several) for hit in sorted(raw[key], key=ordinal)),
            kinds[key],
            sum(kept.count for kept in merged[key]),
        )
        for key in sorted(merged)
    }


def _line(hit: RawHit) -> tuple[str, int]:
    return hit.file, hit.line


def _times(hits: Sequence[RawHit]) -> dict[tuple[str, int], float]:
    """When each line was said. One without a time was said with the line before it that has one, or the first one."""
    told: dict[tuple[str, int], float | None] = {_line(hit): hit.seconds for hit in sorted(hits, key=_line)}
    first: dict[str, float] = {}
    for (file, _), seconds in told.items():
        if seconds is not None:
            first.setdefault(file, seconds)
    times: dict[tuple[str, int], float] = {}
    latest: dict[str, float] = {}
    for line, seconds in told.items():
        file = line[0]
        if seconds is not None:
            latest[file] = seconds
        times[line] = latest.get(file, first.get(file, math.inf))
    return times


def nodes(scanned: Sequence[Scanned], namings: Sequence[Naming] = ("nccl", "ray", "carrier")) -> tuple[str, ...]:
    """Their names in the naming that tells the most of them apart: one machine has a name in each."""
    every = [sorted({name for one in scanned for name in one.nodes.get(naming, ())}) for naming in namings]
    most: list[str] = max(every, key=len)
    return tuple(most)


def _hit(raw: RawHit, ordinal: int, *, several: bool) -> Hit:
    """`several`: whether carriers tell nodes apart; where there is one, its name says nothing."""
    rank: Fact[int] = known(raw.rank, "log") if raw.rank >= 0 else NOT_PROVIDED
    name = raw.node or (raw.carrier if several else "")
    node: Fact[str] = known(name, "log") if name else NOT_PROVIDED
    when: Fact[float] = known(raw.seconds, "log") if raw.seconds is not None else NOT_PROVIDED
    return Hit(
        file=raw.file,
        line=raw.line,
        text=raw.text,
        ordinal=ordinal,
        rank=rank,
        node=node,
        seconds=when,
        captures=raw.captures,
    )
