"""`gpudoctor nccl-test`: real processes, real collectives, every element checked, every hang named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, NoReturn, Optional, cast

import typer

from gpudoctor.cli import options

if TYPE_CHECKING:
    from gpudoctor.cli.exit import FailOn
    from gpudoctor.smoke.plan import Plan
    from gpudoctor.smoke.run import Options, SmokeResult

_LINGER_S = 3.0


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="nccl-test")(nccl_test)


def nccl_test(
    tp: Annotated[int, typer.Option("--tp", min=1, max=1024, help="Ranks: one process each.")] = 2,
    devices: Annotated[
        str, typer.Option("--devices", metavar="LIST", help="GPUs to use, numbered as nvidia-smi does: 2,3.")
    ] = "",
    backend: Annotated[str, typer.Option("--backend", help="auto, nccl or gloo.")] = "auto",
    ops: Annotated[
        str,
        typer.Option("--ops", help="all, or some of all_reduce,all_gather,reduce_scatter,broadcast,all_to_all."),
    ] = "all_reduce",
    max_bytes: Annotated[
        str,
        typer.Option("--max-bytes", metavar="SIZE", help="Largest message, e.g. 64M (default 256M; on the CPU 4M)."),
    ] = "",
    model: options.SmokeModel = None,
    hidden: options.Hidden = None,
    intermediate: options.Intermediate = None,
    worker: Annotated[
        bool, typer.Option("--worker", help="Be one rank under torchrun, srun or mpirun; rank 0 reports.")
    ] = False,
    python: options.Python = None,
    master_port: Annotated[
        Optional[int], typer.Option("--master-port", min=1, max=65535, help="Port of the rendezvous.")
    ] = None,
    format_name: options.Format = "text",
    output: options.Output = None,
    fail_on: Annotated[str, typer.Option("--fail-on", metavar="SEVERITY", help="error, warning or never.")] = "error",
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=1, max=3600, callback=options.finite, help="Seconds without progress that count as a hang."
        ),
    ] = 50.0,
    bisect: Annotated[
        Optional[bool],
        typer.Option(
            "--bisect/--no-bisect", help="Find out which setting decides: always, or never (default: when it failed)."
        ),
    ] = None,
    budget: Annotated[
        float,
        typer.Option(
            "--budget",
            min=1,
            max=36000,
            callback=options.finite,
            help="Seconds for finding out, all launches together.",
        ),
    ] = 180.0,
    pairs: Annotated[
        Optional[bool],
        typer.Option("--pairs/--no-pairs", help="Test each two GPUs alone (default: up to four GPUs, or when needed)."),
    ] = None,
    color: options.Color = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the collectives of tensor parallelism for real, and name what breaks, where and on which rank."""
    from gpudoctor.cli.exit import exit_code
    from gpudoctor.cli.nccl_test.plan import SmokeOptions, make_plan
    from gpudoctor.cli.nccl_test.report import run_and_report
    from gpudoctor.cli.write import write_report
    from gpudoctor.errors import UsageError
    from gpudoctor.render import renderer
    from gpudoctor.smoke.run import Options

    if fail_on not in ("error", "warning", "never"):
        raise UsageError(f"--fail-on {fail_on!r} is none of error, warning, never")
    renderer(format_name)  # an unknown format is refused before anything is started
    plan = make_plan(
        SmokeOptions(
            tp=tp,
            devices=devices,
            backend=backend,
            ops=ops,
            max_bytes=max_bytes,
            worker=worker,
            python=python,
            master_port=master_port,
            timeout_s=timeout,
            model=model,
            hidden=hidden,
            intermediate=intermediate,
        )
    )
    wanted = Options(bisect, budget, pairs)
    threshold = cast("FailOn", fail_on)
    if worker and plan.members[0].rank > 0:
        _be_another_rank(plan, wanted, threshold)
    _, report = run_and_report(plan, wanted, quiet=quiet)
    write_report(report, format_name, output, color=color, verbose=verbose, fail_on=threshold)
    raise typer.Exit(int(exit_code(report, threshold)))


def _be_another_rank(plan: Plan, wanted: Options, threshold: FailOn) -> NoReturn:
    """Stdout belongs to rank 0, which reports: nothing of another rank goes there, however it ends."""
    import contextlib

    from gpudoctor.cli.exit import exit_code
    from gpudoctor.cli.nccl_test.report import run_and_report
    from gpudoctor.cli.streams import discard_stdout

    discard_stdout()
    result, report = run_and_report(plan, wanted, quiet=True)
    if result.findings:
        _say_on_stderr(plan, result)
        # The other launcher (torchrun, mpirun) ends all ranks when one ends: rank 0 needs a moment to report.
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(_LINGER_S)
    raise typer.Exit(int(exit_code(report, threshold)))


def _say_on_stderr(plan: Plan, result: SmokeResult) -> None:
    """What a rank other than 0 has to say; rank 0 may not know it."""
    import sys

    from gpudoctor.render.sanitize import clean

    finding = result.findings[0]
    sys.stderr.write(f"gpudoctor: rank {plan.members[0].rank}: {clean(finding.title)}. {clean(finding.why)}\n")
