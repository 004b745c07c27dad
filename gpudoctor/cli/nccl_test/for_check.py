"""`check --smoke`: the smoke run for the workload that is examined, its result beside the facts of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from gpudoctor.cli.examine.examined import Examined
    from gpudoctor.engine.evaluate import Diagnosis
    from gpudoctor.engine.rank import Candidate
    from gpudoctor.host.probe import Request
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.report import Report
    from gpudoctor.smoke.plan import Plan
    from gpudoctor.smoke.run import SmokeResult

_RANKS = 2  # where nothing says how many


class Smoked(Struct, frozen=True):
    """Facts with the section of the run. `result` is None where none was made, and the note says why."""

    examined: Examined
    result: SmokeResult | None
    notes: tuple[str, ...] = ()

    def unexplained(self, diagnosis: Diagnosis) -> tuple[Candidate, ...]:
        """What the run says of itself, where no rule names its cause."""
        if self.result is None or self.result.report.verdict == "pass":
            return ()
        from gpudoctor.cli.nccl_test.findings import unexplained

        return unexplained(diagnosis, self.result)

    def added_to(self, report: Report) -> Report:
        """The report with the `smoke` key."""
        return report if self.result is None else replace(report, smoke=self.result.report)


def smoked(found: Examined, request: Request, *, quiet: bool) -> Smoked:
    """Run it, for as many ranks as the workload has on this machine."""
    from gpudoctor.cli.nccl_test.work import run_smoke
    from gpudoctor.derive import derive
    from gpudoctor.smoke.facts import facts_of
    from gpudoctor.smoke.run import Options

    machine = derive(found.facts)
    ranks, problem = _ranks(machine)
    if problem:
        return Smoked(found, None, (problem,))
    result = run_smoke(_plan(ranks, request), Options(), lambda: machine, quiet=quiet)
    facts = replace(found.facts, smoke=facts_of(result.report, machine))
    note = f"nccl-test: {result.report.verdict} on {result.report.statement}"
    return Smoked(replace(found, facts=facts), result, (note,))


def _ranks(machine: Facts) -> tuple[int, str]:
    """How many, or why there is no use in running it."""
    asked = machine.workload.gpus_needed.or_none() or machine.workload.tp.or_none()
    visible = machine.gpus.visible_count.or_none() or 0
    if asked and visible and asked > visible:
        return 0, f"--smoke: not run, {asked} ranks need more GPUs than the {visible} that are visible"
    return asked or (machine.group.usable_tp.or_none() if visible else None) or _RANKS, ""


def _plan(ranks: int, request: Request) -> Plan:
    """The environment of the launch command, so that its NCCL variables are tested too."""
    from gpudoctor.host import LocalHost
    from gpudoctor.host.target import choose_python
    from gpudoctor.smoke.plan import Plan, local_members

    host = LocalHost()
    return Plan(
        python=choose_python(host, request).executable,
        members=local_members(ranks),
        environ={**host.environ, **request.environment(host)},
    )
