"""`gpudoctor check`: examine this machine, name the cause, print the fix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, cast

import typer

from gpudoctor.cli import options

if TYPE_CHECKING:
    from gpudoctor.cli.assemble import Examined
    from gpudoctor.cli.exit import FailOn
    from gpudoctor.workload import ParsedCommand


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="check")(check)


def check(
    context: typer.Context,
    launch: options.Launch = None,
    tp: Annotated[
        Optional[int], typer.Option("--tp", min=1, max=options.MAX_SIZE, help="Tensor-parallel size.")
    ] = None,
    pp: Annotated[
        Optional[int], typer.Option("--pp", min=1, max=options.MAX_SIZE, help="Pipeline-parallel size.")
    ] = None,
    dp: Annotated[
        Optional[int], typer.Option("--dp", min=1, max=options.MAX_SIZE, help="Data-parallel size (replicas).")
    ] = None,
    model: Annotated[Optional[str], typer.Option("--model", help="Model id or folder.")] = None,
    quant: Annotated[Optional[str], typer.Option("--quant", help="Quantisation, e.g. awq, fp8.")] = None,
    dtype: Annotated[Optional[str], typer.Option("--dtype", help="bf16, fp16 or fp32.")] = None,
    max_model_len: Annotated[
        Optional[int], typer.Option("--max-model-len", min=1, max=options.MAX_TOKENS, help="Context length.")
    ] = None,
    gpu_memory_utilization: Annotated[
        Optional[float],
        typer.Option(
            "--gpu-memory-utilization",
            min=0.01,
            max=1.0,
            callback=options.finite,
            help="Share of each GPU that the run may use.",
        ),
    ] = None,
    framework: Annotated[Optional[str], typer.Option("--framework", help="vllm, sglang, tgi ...")] = None,
    python: options.Python = None,
    snapshot: Annotated[
        Optional[Path],
        typer.Option("--snapshot", metavar="FILE", help="Diagnose this snapshot instead of the machine."),
    ] = None,
    quick: options.Quick = False,
    only: Annotated[
        Optional[list[str]], typer.Option("--only", metavar="RULE", help="Only this rule (repeatable).")
    ] = None,
    skip: Annotated[
        Optional[list[str]], typer.Option("--skip", metavar="RULE", help="Not this rule (repeatable).")
    ] = None,
    rules: options.RuleDirs = None,
    format_name: options.Format = "text",
    output: options.Output = None,
    fail_on: Annotated[str, typer.Option("--fail-on", metavar="SEVERITY", help="error, warning or never.")] = "error",
    timeout: options.Timeout = 60.0,
    color: options.Color = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Examine this machine and print ranked fixes; the launch command after `--` is read, never run."""
    from gpudoctor.cli.examiner import examine
    from gpudoctor.cli.gather import Order, request_of
    from gpudoctor.cli.launch import without_credentials
    from gpudoctor.errors import UsageError
    from gpudoctor.render import check_format

    if fail_on not in ("error", "warning", "never"):
        raise UsageError(f"--fail-on {fail_on!r} is none of error, warning, never")
    check_format(format_name)
    flags = {
        "tp": tp,
        "pp": pp,
        "dp": dp,
        "model": without_credentials(model),
        "quantization": quant,
        "dtype": dtype,
        "max_model_len": max_model_len,
        "gpu_memory_utilization": gpu_memory_utilization,
        "framework": framework,
    }
    command, notes = _command(launch, flags)
    rule_dirs = tuple(rules or ())
    if snapshot is not None:
        found = _of_snapshot(snapshot, command)
    else:
        request = request_of(command, python=python, quick=quick)
        order = Order(request, timeout, quiet)
        found = examine(context.obj, order, meanwhile=lambda: _prepare(rule_dirs, format_name))

    from gpudoctor.cli.assemble import build_report
    from gpudoctor.cli.diagnose_facts import diagnose_facts
    from gpudoctor.cli.exit import exit_code
    from gpudoctor.cli.write import write_report

    facts, diagnosis = diagnose_facts(found.facts, rule_dirs=rule_dirs, only=only or (), skip=skip or ())
    report = build_report(found, facts, diagnosis, notes)
    threshold = cast("FailOn", fail_on)
    write_report(report, format_name, output, color=color, verbose=verbose, fail_on=threshold)
    raise typer.Exit(int(exit_code(report, threshold)))


def _command(
    launch: list[str] | None, flags: dict[str, int | float | str | None]
) -> tuple[ParsedCommand | None, tuple[str, ...]]:
    """What was said of the run, None for nothing: what reads commands is loaded only for one. And notes about it."""
    if not launch and not any(value is not None for value in flags.values()):
        return None, ()
    from msgspec import convert

    from gpudoctor.cli.launch import read_launch
    from gpudoctor.workload import Flags, combine

    command, notes = read_launch(launch)
    return combine(convert(flags, Flags), command), notes


def _prepare(rule_dirs: tuple[Path, ...], format_name: str) -> None:
    """Load what is needed after the probes, while they run."""
    from gpudoctor.cli import assemble, diagnose_facts, write  # noqa: F401 - only loaded
    from gpudoctor.cli.rule_set import rule_set
    from gpudoctor.render import renderer

    rule_set(rule_dirs)
    renderer(format_name)


def _of_snapshot(path: Path, command: ParsedCommand | None) -> Examined:
    """Facts of a snapshot; a run described on the command line replaces the snapshot's, with its environment."""
    from msgspec.structs import replace

    from gpudoctor.cli.gather import from_snapshot

    found = from_snapshot(path)
    if command is None:
        return found
    from gpudoctor.cli.for_launch import with_launch

    return replace(found, facts=with_launch(found.facts, command))
