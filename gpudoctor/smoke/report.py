"""The `smoke` key of a report, from launches that are over."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.model.smoke import SmokeRank, SmokeReport, SmokeWrong
from gpudoctor.smoke.attempt import Attempt
from gpudoctor.smoke.hosts import calls_of
from gpudoctor.smoke.judge import describe
from gpudoctor.smoke.launch import Outcome
from gpudoctor.smoke.layer import layer_of
from gpudoctor.smoke.measure import sizes_of
from gpudoctor.smoke.pairs import pairs_of
from gpudoctor.smoke.rank import Event, RankProcess

_MAX_WRONG = 64  # of each rank; a bad link makes one for each size, type and round


def report_of(first: Attempt) -> SmokeReport:
    """The run as asked for; what the trials add is not in it yet."""
    outcome, judgement = first.outcome, first.judgement
    facts = [event for rank in outcome.ranks for event in rank.events if event.event == "facts"]
    wrong = _wrong(outcome)
    return SmokeReport(
        verdict=judgement.verdict,
        backend=first.backend,
        phase=judgement.phase,
        statement=_statement(first),
        world_size=first.world_size,
        ranks=tuple(_rank(rank, first) for rank in outcome.ranks),
        transport=first.log.transport() if first.backend == "nccl" else None,
        interface=first.log.interface,
        sizes=sizes_of(outcome, wrong),
        wrong=wrong,
        left_out=_left_out(outcome),
        calls=calls_of(outcome),
        layer=layer_of(outcome, first.backend),
        pairs=pairs_of(first),
        trials=(first.trial(),),
        torch=next((event.torch for event in facts if event.torch), ""),
        nccl=next((event.nccl for event in facts if event.nccl), ""),
        python=outcome.plan.python,
    )


def _rank(rank: RankProcess, first: Attempt) -> SmokeRank:
    number = rank.member.rank
    bus = next((event.bus for event in rank.events if event.bus), "") or first.log.bus.get(number, "")
    return replace(describe(rank, first.outcome), index=first.log.nvml.get(number), bus=bus)


def _statement(first: Attempt) -> str:
    count = first.world_size
    if first.backend == "nccl":
        return f"NCCL on GPUs, {count} ranks"
    if first.backend == "gloo":
        return f"gloo on the CPU, {count} ranks: this tests the launch path, not the GPUs"
    return f"{count} ranks; none came so far that it could choose between GPUs and CPU"


def _left_out(outcome: Outcome) -> tuple[str, ...]:
    told = [event.op for rank in outcome.ranks for event in rank.events if event.event == "op_left_out"]
    return tuple(dict.fromkeys(told))


def _wrong(outcome: Outcome) -> tuple[SmokeWrong, ...]:
    return tuple(_wrong_of(rank, event) for rank in outcome.ranks for event in _told(rank))


def _told(rank: RankProcess) -> list[Event]:
    return [event for event in rank.events if event.event == "wrong"][:_MAX_WRONG]


def _wrong_of(rank: RankProcess, event: Event) -> SmokeWrong:
    return SmokeWrong(
        rank=rank.member.rank,
        op=event.op,
        dtype=event.dtype,
        variant=event.variant,
        bytes=event.bytes,
        round=event.round,
        offset=event.offset,
        count=event.count,
        elements=event.elements,
        kind="zeros" if event.kind == "zeros" else "stale" if event.kind == "stale" else "noise",
    )
