"""Ranks that other launchers watch: what rank 0 has heard of them when it hangs itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gpudoctor.model.smoke import PHASES, SmokePhase
from gpudoctor.smoke.rank import Event, RankProcess


class Standing(NamedTuple):
    """Who keeps the others waiting. `kind`: silent (no sign of life) or behind; `phase`: where those behind are."""

    kind: str
    ranks: tuple[int, ...]
    phase: SmokePhase | None = None


def standing_elsewhere(ours: Sequence[RankProcess], waiting: Sequence[RankProcess]) -> Standing | None:
    """Ranks elsewhere that are silent, or behind all of ours that wait; None where none is known to be."""
    others = {event.rank: event for rank in ours for event in rank.events if event.event == "peer"}
    silent = tuple(rank for rank, event in others.items() if event.kind == "silent")
    if silent:
        return Standing("silent", silent)
    if not others:
        return None
    least = min(_place_of_event(event) for event in others.values())
    if least >= min(_place_of_rank(rank) for rank in waiting):
        return None
    behind = tuple(rank for rank, event in others.items() if _place_of_event(event) == least)
    return Standing("behind", behind, PHASES[least[0]])


def _place_of_event(event: Event) -> tuple[int, int]:
    return (PHASES.index(event.phase) if event.phase in PHASES else 0), event.count


def _place_of_rank(rank: RankProcess) -> tuple[int, int]:
    """Phase and steps within it, as a worker counts them for the others."""
    phase = steps = 0
    for event in rank.events:
        if event.event == "phase" and event.phase in PHASES:
            phase, steps = PHASES.index(event.phase), 0
        steps += event.event == "step"
    return phase, steps
