"""The smoke run as a whole: launch, judge, find out why it failed, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from gpudoctor.host import Host
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding
from gpudoctor.model.smoke import SmokeDecision, SmokePair, SmokeReport, SmokeVerdict
from gpudoctor.smoke.attempt import Attempt, attempt
from gpudoctor.smoke.bench import Bench
from gpudoctor.smoke.causes import Surroundings, finding_of
from gpudoctor.smoke.hosts import with_distance
from gpudoctor.smoke.launch import Progress
from gpudoctor.smoke.oom import oom_kills
from gpudoctor.smoke.pairs import all_pairs, only_pairs_failed
from gpudoctor.smoke.plan import Plan
from gpudoctor.smoke.report import report_of

_FEW = 4  # GPUs whose pairs are tested also where nothing is wrong
Machine = Callable[[], "Facts | None"]


@dataclass(frozen=True)
class Options:
    """How far to go. `bisect`: None tries settings when the run failed, True always, False never.

    `pairs`: None tests them where there are few, or something is wrong; True always; False never.
    """

    bisect: bool | None = None
    budget_s: float = 180.0
    pairs: bool | None = None


@dataclass(frozen=True)
class SmokeResult:
    """The report's key and what follows from it."""

    report: SmokeReport
    findings: tuple[Finding, ...]


def run(
    plan: Plan,
    host: Host,
    progress: Progress | None = None,
    options: Options | None = None,
    machine: Machine = lambda: None,
) -> SmokeResult:
    """One smoke run on this machine. `machine` gives its derived facts; it is asked only where GPUs took part."""
    options = options or Options()
    before = oom_kills(host)
    wanted = replace(plan, pairs=_pairs(plan, options), pairs_on_cpu=bool(options.pairs))
    first = attempt(wanted, "as asked", {}, progress)
    facts = machine() if first.backend == "nccl" else None
    bench = Bench(first, options.budget_s, progress)
    report = _explained(_compared(report_of(first), facts), first, bench, options)
    if report.verdict == "slow" and bench.pairs:  # tested because of that: now the pair can be named
        report = _compared(changed(report, verdict="pass"), facts)
    report = with_distance(report)
    found = finding_of(report, first.judgement, plan, Surroundings(oom_kills=max(0, oom_kills(host) - before)))
    return SmokeResult(report, (found,) if found is not None else ())


def _compared(report: SmokeReport, facts: Facts | None) -> SmokeReport:
    """With its speed judged, where GPUs took part; what judges it is loaded only then."""
    if report.backend != "nccl":
        return report
    from gpudoctor.smoke.speed import with_speed

    return with_speed(report, facts)


def _pairs(plan: Plan, options: Options) -> tuple[tuple[int, int], ...]:
    world = plan.members[0].world_size
    if plan.joined or options.pairs is False or (options.pairs is None and world > _FEW):
        return ()
    return all_pairs(world)


def _explained(report: SmokeReport, first: Attempt, bench: Bench, options: Options) -> SmokeReport:
    """What trials add; what tries is loaded only where there is something to try."""
    if report.verdict == "pass" and not options.bisect:
        return report
    from gpudoctor.smoke.culprit import search
    from gpudoctor.smoke.differential import proves, separate, survey, why_not

    if report.verdict in ("pass", "slow"):
        if report.verdict == "slow" and not report.pairs and options.pairs is None:
            search(bench, {})
        decision = survey(first, bench) if options.bisect else None
    elif options.bisect is False:
        decision = SmokeDecision(status="not_tried", reason="--no-bisect")
    else:
        reason = why_not(first)
        decision = SmokeDecision(status="not_tried", reason=reason) if reason else separate(first, bench)
    verdict: SmokeVerdict = report.verdict
    if decision is not None and decision.status == "control_failed":
        verdict = "inconclusive"
    elif _beside(first, decision):
        verdict = "pass"
    trials = tuple(one.trial(proves(one.name)) for one in bench.attempts)
    diagnostics = [line for one in bench.attempts for line in one.log.diagnostics]
    return changed(
        report,
        verdict=verdict,
        phase="done" if verdict == "pass" else report.phase,
        decision=decision,
        trials=(*report.trials, *trials),
        pairs=_merged(report.pairs, bench.pairs),
        diagnostics=tuple(diagnostics),
    )


def _beside(first: Attempt, decision: SmokeDecision | None) -> bool:
    """Whether what fails is P2P that this run does not use: all ranks together passed without it."""
    by_p2p = decision is not None and decision.part == "p2p"
    return by_p2p and only_pairs_failed(first) and bool(first.log.channels) and not first.log.uses("P2P")


def _merged(first: tuple[SmokePair, ...], later: tuple[SmokePair, ...]) -> tuple[SmokePair, ...]:
    """By pair; what the first launch tested counts, because it moved the largest messages."""
    found = {(pair.a, pair.b): pair for pair in (*later, *first)}
    return tuple(found[key] for key in sorted(found))
