"""Ranks two by two: what each pair did alone, and whether a pair or one GPU is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from gpudoctor.model.smoke import PeerCopy, SmokePair
from gpudoctor.smoke.attempt import Attempt
from gpudoctor.smoke.judge import pair_at
from gpudoctor.smoke.measure import digits
from gpudoctor.smoke.rank import Event

Pair = tuple[int, int]

_WORST_FIRST: tuple[PeerCopy, ...] = ("wrong", "failed", "no_access", "verified")
_OF_PAIRS = ("send", "peer_read", "peer_write")
_MOST = 66  # pairs that are tested in one run: all of twelve ranks


def all_pairs(world_size: int) -> tuple[Pair, ...]:
    """Every pair of ranks; where those are too many, each rank with those 1, 2, 4 ... further on a ring."""
    every = tuple(combinations(range(world_size), 2))
    if len(every) <= _MOST:
        return every
    ring = {
        tuple(sorted((rank, (rank + (1 << power)) % world_size)))
        for rank in range(world_size)
        for power in range(world_size.bit_length() - 1)
    }
    return tuple(pair for pair in every if pair in ring)


def pairs_of(attempt: Attempt) -> tuple[SmokePair, ...]:
    """What an attempt says of the pairs that it came to."""
    events = _events(attempt)
    stuck = stuck_pair(attempt)
    transports = _transports(attempt)
    out = []
    for pair in attempt.outcome.plan.pairs:
        done = next((event for event in events if event.event == "pair" and (event.a, event.b) == pair), None)
        if done is not None or pair == stuck:
            out.append(_pair(pair, done, events, attempt, transports.get(pair)))
    return tuple(out)


def stuck_pair(attempt: Attempt) -> Pair | None:
    """The pair at which an attempt hung or failed."""
    if attempt.judgement.verdict not in ("hang", "crash"):
        return None
    return next((pair for rank in attempt.outcome.ranks if not rank.done and (pair := pair_at(rank))), None)


def _pair(pair: Pair, done: Event | None, events: list[Event], attempt: Attempt, transport: str | None) -> SmokePair:
    wrong = any(event.event == "wrong" and event.op in _OF_PAIRS and _named(event) == pair for event in events)
    told = [event for event in events if event.event == "peer" and (event.a, event.b) == pair]
    stuck = stuck_pair(attempt) == pair
    return SmokePair(
        a=pair[0],
        b=pair[1],
        verdict=attempt.judgement.verdict if stuck else "wrong_data" if wrong else "pass",
        phase="bandwidth",
        bytes=done.bytes if done else 0,
        a_to_b_gbs=_speed(done, done.forth) if done else None,
        b_to_a_gbs=_speed(done, done.back) if done else None,
        busbw_gbs=_speed(done, done.both) if done else None,
        peer_copy=next((kind for kind in _WORST_FIRST if any(event.kind == kind for event in told)), "not_tested"),
        transport=transport,
        note=next((event.text for event in told if event.text), "")[:300],
    )


def _named(event: Event) -> Pair | None:
    """The two ranks of `0 to 1`."""
    source, _, target = event.variant.partition(" to ")
    if not (source.isdecimal() and target.isdecimal()):
        return None
    a, b = sorted((int(source), int(target)))
    return a, b


def _speed(done: Event, seconds: float) -> float | None:
    return digits(done.bytes / seconds / 1e9) if seconds > 0 else None


def failing_transport(attempt: Attempt) -> str:
    """What the pair used that hung, failed or got wrong data; "" where it was all ranks together, or is not known."""
    bad = next((pair for pair in pairs_of(attempt) if pair.verdict != "pass"), None)
    return (bad.transport or "") if bad is not None else ""


def only_pairs_failed(attempt: Attempt) -> bool:
    """Whether all ranks together did everything right."""
    if stuck_pair(attempt) is not None:
        return not any(event.event == "wrong" and event.op not in _OF_PAIRS for event in _events(attempt))
    wrong = [event.op for event in _events(attempt) if event.event == "wrong"]
    return attempt.judgement.verdict == "wrong_data" and bool(wrong) and all(op in _OF_PAIRS for op in wrong)


def _events(attempt: Attempt) -> list[Event]:
    return [event for rank in attempt.outcome.ranks for event in rank.events]


def _transports(attempt: Attempt) -> dict[Pair, str]:
    """By NCCL's log: the communicators of two of a rank come in the order of its pairs."""
    plan = attempt.outcome.plan
    if attempt.world_size == 2:
        name = attempt.log.transport()
        return {(0, 1): name} if name else {}
    out: dict[Pair, str] = {}
    for rank, names in enumerate(attempt.log.twos):
        mine = [pair for pair in plan.pairs if rank in pair]
        out |= {pair: name for pair, name in zip(mine, names, strict=False) if name}
    return out


def blame(pairs: tuple[SmokePair, ...]) -> tuple[tuple[int, ...], tuple[Pair, ...]]:
    """The ranks whose GPU alone explains every failing pair, else the pairs that fail. Ranks are () where none does.

    One GPU is to blame where it is in every failing pair, in more than one, and in none that passed.
    """
    bad = [pair for pair in pairs if pair.verdict not in ("pass", "slow", "inconclusive")]
    alone = common_rank(bad, [pair for pair in pairs if pair.verdict in ("pass", "slow")])
    return (alone, ()) if alone else ((), tuple((pair.a, pair.b) for pair in bad))


def common_rank(bad: Sequence[SmokePair], good: Sequence[SmokePair]) -> tuple[int, ...]:
    """The one rank that is in every bad pair, of which there are several, and in no good one; () where none is."""
    common = set.intersection(*({pair.a, pair.b} for pair in bad)) if len(bad) > 1 and good else set()
    alone = tuple(rank for rank in common if all(rank not in (pair.a, pair.b) for pair in good))
    return alone if len(alone) == 1 else ()
