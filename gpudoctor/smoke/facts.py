"""The smoke run as facts for the rules: ranks become GPUs, as nvidia-smi numbers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Facts, Smoke, TriedPair
from gpudoctor.model.smoke import SmokeDecision, SmokePair, SmokeReport
from gpudoctor.smoke.pairs import common_rank
from gpudoctor.smoke.speed import gpu_numbers

_SOURCE = "smoke run"
_MAX_SAID = 600
T = TypeVar("T")


def facts_of(report: SmokeReport, machine: Facts | None = None) -> Smoke:
    """The section. `machine` are derived facts, which tell a GPU's number from its PCI address."""
    numbers = gpu_numbers(report, machine)
    ranks = range(report.world_size)
    decision = report.decision or SmokeDecision(status="not_tried")
    failed = report.verdict not in ("pass", "slow")
    speed = report.speed
    bad = [pair for pair in report.pairs if (pair.a, pair.b) in decision.pairs or _fails(pair)]
    named = [*bad, *(_bare(a, b, report) for a, b in decision.pairs if (a, b) not in {(p.a, p.b) for p in bad})]
    slow = [pair for pair in report.pairs if pair.slow]
    said = next((rank.error for rank in report.ranks if rank.error), "")
    largest = max((one for one in report.sizes if one.op == "all_reduce"), key=lambda one: one.bytes, default=None)
    return Smoke(
        verdict=known(report.verdict, _SOURCE),
        backend=known(report.backend, _SOURCE),
        phase=known(report.phase, _SOURCE),
        world_size=known(report.world_size, _SOURCE),
        gpus=_gpus(ranks, numbers),
        nccl=_text(report.nccl),
        transport=_text(report.transport or ""),
        interface=_text(report.interface),
        said=_text(said[:_MAX_SAID]),
        decision=known(decision.status, _SOURCE) if report.decision else _nothing("the run passed"),
        part=_text(decision.part),
        setting=_text(" ".join(f"{name}={value}" for name, value in decision.env.items())),
        settings=known(decision.settings, _SOURCE) if decision.settings else _nothing("no setting of the user"),
        reason=_text(decision.reason),
        costs=_text(decision.costs),
        trials=known(len(report.trials), _SOURCE),
        bad_gpus=_gpus(decision.ranks, numbers) if failed or decision.ranks else _nothing("nothing failed"),
        bad_pairs=_pairs(named, numbers) if failed or named else _nothing("nothing failed"),
        pairs=_pairs(report.pairs, numbers) if report.pairs else _nothing("no pair was tested alone"),
        slow_pairs=_pairs(slow, numbers) if report.pairs else _nothing("no pair was tested alone"),
        slow_gpus=_gpus(common_rank(slow, [pair for pair in report.pairs if not pair.slow]), numbers),
        measured_gbs=known(speed.measured_gbs, _SOURCE) if speed else _nothing("nothing to compare with"),
        expected_gbs=known(speed.expected_gbs, speed.source or _SOURCE)
        if speed
        else _nothing("nothing to compare with"),
        compared_with=_text(speed.basis if speed else ""),
        measured_what=_text(speed.what if speed else ""),
        busbw_gbs=known(largest.busbw_gbs, _SOURCE) if largest else _nothing("nothing was timed"),
        diagnostics=_diagnostics(report),
    )


def _fails(pair: SmokePair) -> bool:
    return pair.verdict not in ("pass", "slow", "inconclusive")


def _bare(a: int, b: int, report: SmokeReport) -> SmokePair:
    """A pair that is named without having been tested alone."""
    return SmokePair(a=a, b=b, verdict=report.verdict, phase=report.phase)


def _nothing(why: str) -> Fact[T]:
    return absent("not_applicable", why, _SOURCE)


def _text(text: str) -> Fact[str]:
    return known(text, _SOURCE) if text else _nothing("there is none")


def _gpus(ranks: Iterable[int], numbers: Mapping[int, int]) -> Fact[tuple[int, ...]]:
    wanted = tuple(ranks)
    if not all(rank in numbers for rank in wanted):
        return absent("not_provided", "which GPU a rank had is not known", _SOURCE)
    return known(tuple(numbers[rank] for rank in wanted), _SOURCE)


def _pairs(pairs: Iterable[SmokePair], numbers: Mapping[int, int]) -> Fact[tuple[TriedPair, ...]]:
    wanted = tuple(pairs)
    if not all(pair.a in numbers and pair.b in numbers for pair in wanted):
        return absent("not_provided", "which GPU a rank had is not known", _SOURCE)
    return known(tuple(_tested(pair, numbers) for pair in wanted), _SOURCE)


def _tested(pair: SmokePair, numbers: Mapping[int, int]) -> TriedPair:
    a, b, forth, back = numbers[pair.a], numbers[pair.b], pair.a_to_b_gbs, pair.b_to_a_gbs
    if a > b:
        a, b, forth, back = b, a, back, forth
    return TriedPair(
        a=a,
        b=b,
        verdict=known(pair.verdict, _SOURCE),
        a_to_b_gbs=_speed(forth),
        b_to_a_gbs=_speed(back),
        busbw_gbs=_speed(pair.busbw_gbs),
        peer_copy=_text("" if pair.peer_copy == "not_tested" else pair.peer_copy),
        transport=_text(pair.transport or ""),
    )


def _speed(value: float | None) -> Fact[float]:
    return known(value, _SOURCE) if value is not None else _nothing("not timed")


def _diagnostics(report: SmokeReport) -> Fact[str]:
    from gpudoctor.smoke.nccl_log import NcclLog

    return _text(NcclLog(diagnostics=report.diagnostics).diagnosed())
