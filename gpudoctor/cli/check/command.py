"""`gpudoctor check`: examine this machine, name the cause, print the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from gpudoctor.cli import options


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
    log: Annotated[
        Optional[list[Path]],
        typer.Option("--log", metavar="FILE", help="A log of the run: diagnosed with the machine (repeatable)."),
    ] = None,
    quick: options.Quick = False,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Also run nccl-test, and let its result decide between causes.")
    ] = False,
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
    from gpudoctor.cli.check.work import Wanted, run

    flags = {
        "tp": tp,
        "pp": pp,
        "dp": dp,
        "model": model,
        "quantization": quant,
        "dtype": dtype,
        "max_model_len": max_model_len,
        "gpu_memory_utilization": gpu_memory_utilization,
        "framework": framework,
    }
    wanted = Wanted(
        launch=tuple(launch or ()),
        flags={name: value for name, value in flags.items() if value is not None},
        python=python,
        snapshot=snapshot,
        logs=tuple(log or ()),
        quick=quick,
        smoke=smoke,
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        rules=tuple(rules or ()),
        format_name=format_name,
        output=output,
        fail_on=fail_on,
        timeout=timeout,
        color=color,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(int(run(wanted, context.obj)))
