"""A smoke run as the verbs make it: with a live line, and with the facts of this machine where GPUs take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpudoctor.model.facts import Facts
    from gpudoctor.smoke.plan import Plan
    from gpudoctor.smoke.rank import RankProcess
    from gpudoctor.smoke.run import Machine, Options, SmokeResult

_TIMEOUT_S = 20.0


def run_smoke(plan: Plan, options: Options, machine: Machine, *, quiet: bool) -> SmokeResult:
    """Run to the end; `machine` brings derived facts when they are wanted."""
    from gpudoctor.cli.examine.progress_line import progress_line
    from gpudoctor.host import LocalHost
    from gpudoctor.smoke.judge import doing
    from gpudoctor.smoke.run import run

    line = progress_line(wanted=not quiet, verb="nccl-test")

    def progress(ranks: list[RankProcess], elapsed_s: float) -> None:
        if line is not None:
            line.update(doing(ranks), sum(rank.done for rank in ranks), len(ranks), elapsed_s)

    try:
        return run(plan, LocalHost(), progress, options, machine)
    finally:
        if line is not None:
            line.close()


def examine_machine(plan: Plan) -> Facts:
    """Derived facts of this machine for the GPUs of a run, without anything that imports torch."""
    from gpudoctor.cli.examine.live import examine_here
    from gpudoctor.derive import derive
    from gpudoctor.host import LocalHost
    from gpudoctor.host.probe import Request
    from gpudoctor.model.fact import known
    from gpudoctor.model.facts import Workload
    from gpudoctor.probes import discover

    env = (("CUDA_VISIBLE_DEVICES", plan.devices), ("CUDA_DEVICE_ORDER", "PCI_BUS_ID")) if plan.devices else ()
    workload = Workload(tp=known(plan.members[0].world_size, "option"))
    request = Request(python=plan.python, workload=workload, launch_env=env, quick=True)
    return derive(examine_here(LocalHost(), discover(), request, _TIMEOUT_S).facts)
