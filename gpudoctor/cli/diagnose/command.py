"""`gpudoctor diagnose FILE...`: name the cause from logs and pasted output; nothing is probed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from gpudoctor.cli import options


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="diagnose")(diagnose)


def diagnose(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Logs, topo -m, nvidia-smi, collect_env, dmesg ...; - is standard input.",
            show_default=False,
        ),
    ],
    only: Annotated[
        Optional[list[str]], typer.Option("--only", metavar="RULE", help="Only this rule (repeatable).")
    ] = None,
    skip: Annotated[
        Optional[list[str]], typer.Option("--skip", metavar="RULE", help="Not this rule (repeatable).")
    ] = None,
    rules: options.RuleDirs = None,
    ignored: Annotated[bool, typer.Option("--ignored", help="Show lines that look bad and were passed over.")] = False,
    format_name: options.Format = "text",
    output: options.Output = None,
    fail_on: Annotated[str, typer.Option("--fail-on", metavar="SEVERITY", help="error, warning or never.")] = "error",
    color: options.Color = "auto",
    verbose: options.Verbose = False,
) -> None:
    """Read logs and pasted output, and name the cause. What each file is, is seen from what is in it."""
    from gpudoctor.cli.diagnose.work import Wanted, run

    wanted = Wanted(
        files=tuple(files),
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        rules=tuple(rules or ()),
        ignored=ignored,
        format_name=format_name,
        output=output,
        fail_on=fail_on,
        color=color,
        verbose=verbose,
    )
    raise typer.Exit(int(run(wanted)))
