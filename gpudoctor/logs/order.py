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
    places = sorted({_place(hit) for hits in raw.values() for hit in hits})
    ordinals = {place: i for i, place in enumerate(places)}
    return {
        key: Sighting(
            tuple(_hit(hit, ordinals[_place(hit)], several=several) for hit in sorted(raw[key], key=_place)),
            kinds[key],
            sum(kept.count for kept in merged[key]),
        )
        for key in sorted(merged)
    }


def _place(hit: RawHit) -> tuple[float, str, int]:
    return (math.inf if hit.seconds is None else hit.seconds, hit.file, hit.line)


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
