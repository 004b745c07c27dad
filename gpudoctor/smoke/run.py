"""The smoke run as a whole: launch, judge, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gpudoctor.host import Host, HostError
from gpudoctor.model.finding import Finding
from gpudoctor.model.smoke import SmokeBackend, SmokeReport, SmokeSize, SmokeTrial, SmokeWrong
from gpudoctor.smoke.causes import Surroundings, finding_of
from gpudoctor.smoke.judge import Judgement, describe, judge
from gpudoctor.smoke.launch import Outcome, Progress, launch
from gpudoctor.smoke.layer import layer_of
from gpudoctor.smoke.nccl_log import transport
from gpudoctor.smoke.plan import Plan
from gpudoctor.smoke.rank import Event

_MAX_WRONG = 64  # of each rank; a bad link makes one for each size, type and round
_OUTPUT_CHARS = 2 << 20


@dataclass(frozen=True)
class SmokeResult:
    """The report's key and what follows from it."""

    report: SmokeReport
    findings: tuple[Finding, ...]


def run(plan: Plan, host: Host, progress: Progress | None = None) -> SmokeResult:
    """One smoke run on this machine."""
    before = _oom_kills(host)
    outcome = launch(plan, progress)
    judgement = judge(outcome)
    report = report_of(outcome, judgement)
    found = finding_of(report, judgement, plan, Surroundings(oom_kills=max(0, _oom_kills(host) - before)))
    return SmokeResult(report, (found,) if found is not None else ())


def report_of(outcome: Outcome, judgement: Judgement) -> SmokeReport:
    """The `smoke` key."""
    facts = [event for rank in outcome.ranks for event in rank.events if event.event == "facts"]
    backend: SmokeBackend = next((name for name in ("nccl", "gloo") if any(f.backend == name for f in facts)), "none")
    wrong = _wrong(outcome)
    logs = [rank.output.decode("utf-8", "replace")[:_OUTPUT_CHARS] for rank in outcome.ranks]
    return SmokeReport(
        verdict=judgement.verdict,
        backend=backend,
        phase=judgement.phase,
        statement=_statement(backend, outcome),
        world_size=outcome.plan.members[0].world_size,
        ranks=tuple(describe(rank, outcome) for rank in outcome.ranks),
        transport=transport(logs) if backend == "nccl" else None,
        sizes=_sizes(outcome, wrong),
        wrong=wrong,
        layer=layer_of(outcome, backend),
        trials=(
            SmokeTrial(
                name="as asked",
                env={},
                verdict=judgement.verdict,
                phase=judgement.phase,
                seconds=round(outcome.seconds, 3),
            ),
        ),
        torch=next((event.torch for event in facts if event.torch), ""),
        nccl=next((event.nccl for event in facts if event.nccl), ""),
        python=outcome.plan.python,
    )


def _statement(backend: SmokeBackend, outcome: Outcome) -> str:
    count = outcome.plan.members[0].world_size
    if backend == "nccl":
        return f"NCCL on GPUs, {count} ranks"
    if backend == "gloo":
        return f"gloo on the CPU, {count} ranks: this tests the launch path, not the GPUs"
    return f"{count} ranks; none came so far that it could choose between GPUs and CPU"


def _wrong(outcome: Outcome) -> tuple[SmokeWrong, ...]:
    out: list[SmokeWrong] = []
    for rank in outcome.ranks:
        told = [event for event in rank.events if event.event == "wrong"][:_MAX_WRONG]
        out += [_wrong_of(rank.member.rank, event) for event in told]
    return tuple(out)


def _wrong_of(rank: int, event: Event) -> SmokeWrong:
    return SmokeWrong(
        rank=rank,
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


def _sizes(outcome: Outcome, wrong: tuple[SmokeWrong, ...]) -> tuple[SmokeSize, ...]:
    """The slowest rank's time for each size: the collective is over when the last one is."""
    times: dict[tuple[str, str, int], float] = {}
    for rank in outcome.ranks:
        for event in rank.events:
            if event.event == "size" and event.seconds > 0:
                key = (event.op, event.dtype, event.bytes)
                times[key] = max(times.get(key, 0.0), event.seconds)
    ranks = outcome.plan.members[0].world_size
    bad: Mapping[tuple[str, int], int] = _counts(wrong)
    return tuple(_size(key, seconds, ranks, bad.get((key[0], key[2]), 0)) for key, seconds in times.items())


def _counts(wrong: tuple[SmokeWrong, ...]) -> dict[tuple[str, int], int]:
    counts: dict[tuple[str, int], int] = {}
    for one in wrong:
        counts[one.op, one.bytes] = counts.get((one.op, one.bytes), 0) + one.count
    return counts


def _size(key: tuple[str, str, int], seconds: float, ranks: int, wrong: int) -> SmokeSize:
    op, dtype, size = key
    algbw = size / seconds / 1e9
    return SmokeSize(
        op=op,
        dtype=dtype,
        bytes=size,
        latency_us=round(seconds * 1e6, 1),
        algbw_gbs=_digits(algbw),
        busbw_gbs=_digits(algbw * bus_factor(op, ranks)),
        wrong=wrong,
    )


def _digits(value: float) -> float:
    return float(f"{value:.4g}")


def bus_factor(op: str, ranks: int) -> float:
    """What each link carries, as a share of the message: nccl-tests, doc/PERFORMANCE.md."""
    if op == "all_reduce":
        return 2 * (ranks - 1) / ranks
    return 1.0 if op == "broadcast" else (ranks - 1) / ranks


def _oom_kills(host: Host) -> int:
    """How often the kernel has killed for memory in the cgroup that we are in (version 2), 0 where it does not say."""
    try:
        group = host.read_text("/proc/self/cgroup").splitlines()[-1].rpartition(":")[2]
        text = host.read_text(f"/sys/fs/cgroup{'' if group == '/' else group}/memory.events")
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0)
    except (HostError, ValueError, IndexError):
        return 0
