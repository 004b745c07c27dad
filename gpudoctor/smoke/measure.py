"""Times of the ranks as bandwidths. The slowest rank's time counts: a collective is over when its last rank is."""

from __future__ import annotations

from gpudoctor.model.smoke import SmokeSize, SmokeWrong
from gpudoctor.smoke.launch import Outcome


def sizes_of(outcome: Outcome, wrong: tuple[SmokeWrong, ...]) -> tuple[SmokeSize, ...]:
    """Each collective and size that was timed."""
    ranks = outcome.plan.members[0].world_size
    bad: dict[tuple[str, int], int] = {}
    for one in wrong:
        bad[one.op, one.bytes] = bad.get((one.op, one.bytes), 0) + one.count
    return tuple(_size(key, seconds, ranks, bad.get((key[0], key[2]), 0)) for key, seconds in _times(outcome).items())


def largest_busbw(outcome: Outcome) -> float | None:
    """GB/s of the largest all-reduce; None where none was timed."""
    times = {key[2]: seconds for key, seconds in _times(outcome).items() if key[0] == "all_reduce"}
    if not times:
        return None
    size = max(times)
    return digits(size / times[size] / 1e9 * bus_factor("all_reduce", outcome.plan.members[0].world_size))


def bus_factor(op: str, ranks: int) -> float:
    """What each link carries, as a share of the message: nccl-tests, doc/PERFORMANCE.md."""
    if op == "all_reduce":
        return 2 * (ranks - 1) / ranks
    return 1.0 if op == "broadcast" else (ranks - 1) / ranks


def digits(value: float) -> float:
    """Four of them."""
    return float(f"{value:.4g}")


def _times(outcome: Outcome) -> dict[tuple[str, str, int], float]:
    times: dict[tuple[str, str, int], float] = {}
    for rank in outcome.ranks:
        for event in rank.events:
            if event.event == "size" and event.seconds > 0:
                key = (event.op, event.dtype, event.bytes)
                times[key] = max(times.get(key, 0.0), event.seconds)
    return times


def _size(key: tuple[str, str, int], seconds: float, ranks: int, wrong: int) -> SmokeSize:
    op, dtype, size = key
    algbw = size / seconds / 1e9
    return SmokeSize(
        op=op,
        dtype=dtype,
        bytes=size,
        latency_us=round(seconds * 1e6, 1),
        algbw_gbs=digits(algbw),
        busbw_gbs=digits(algbw * bus_factor(op, ranks)),
        wrong=wrong,
    )
