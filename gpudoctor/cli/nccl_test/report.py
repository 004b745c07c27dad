"""The report of a smoke run that stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpudoctor.cli.nccl_test.work import examine_machine, run_smoke

if TYPE_CHECKING:
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.finding import Finding
    from gpudoctor.model.report import Report, Status, Summary
    from gpudoctor.smoke.plan import Plan
    from gpudoctor.smoke.run import Options, SmokeResult


def run_and_report(plan: Plan, options: Options, *, quiet: bool) -> tuple[SmokeResult, Report]:
    """Run, and say what the rules make of it. The machine is examined only where GPUs take part."""
    from gpudoctor.model.facts import Facts

    seen: list[Facts] = []

    def machine() -> Facts | None:
        seen.append(examine_machine(plan))
        return seen[-1]

    result = run_smoke(plan, options, machine, quiet=quiet)
    return result, _report(plan, result, seen[0] if seen else Facts())


def _report(plan: Plan, result: SmokeResult, machine: Facts) -> Report:
    """Only what the run itself proves; the facts of the machine are there where they were asked for."""
    from msgspec.structs import replace

    from gpudoctor.cli.examine.examined import now
    from gpudoctor.cli.findings.assemble import TOOL
    from gpudoctor.model.report import Report
    from gpudoctor.smoke.facts import facts_of

    smoke = result.report
    facts = replace(machine, smoke=facts_of(smoke, machine))
    findings = result.findings
    if smoke.verdict != "pass" or smoke.decision is not None:
        from gpudoctor.cli.nccl_test.findings import diagnose_smoke

        findings = diagnose_smoke(facts, result).findings
    status, summary = _outcome(smoke.verdict, findings)
    return Report(
        tool=TOOL,
        created_at=now(),
        status=status,
        host={"torch": smoke.torch or None, "nccl": smoke.nccl or None, "python": smoke.python or None},
        workload={"tp": smoke.world_size},
        findings=findings,
        not_evaluated=(),
        probes=(),
        facts=facts,
        summary=summary,
        notes=tuple(filter(None, (f"nccl-test: {smoke.verdict} on {smoke.statement}", plan.choice))),
        smoke=smoke,
    )


def _outcome(verdict: str, findings: tuple[Finding, ...]) -> tuple[Status, Summary]:
    from gpudoctor.model.report import Summary

    counts = {level: sum(one.severity == level for one in findings) for level in ("error", "warning", "info")}
    status: Status = "error" if counts["error"] else "warning" if counts["warning"] else "ok"
    if verdict == "inconclusive":
        status = "unknown"
    return status, Summary(counts["error"], counts["warning"], counts["info"], 0)
