"""`gpudoctor run -- COMMAND...`: run it, and diagnose it where it crashes or hangs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from gpudoctor.cli import options


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="run")(run)


def run(
    command: Annotated[
        Optional[list[str]],
        typer.Argument(metavar="-- COMMAND...", help="What to run; its output passes through.", show_default=False),
    ] = None,
    hang_after: Annotated[
        float,
        typer.Option(
            "--hang-after",
            min=0,
            max=10**6,
            metavar="S",
            callback=options.finite,
            help="Seconds without output that are a hang; 0: never.",
        ),
    ] = 300.0,
    on_hang: Annotated[
        str, typer.Option("--on-hang", metavar="WHAT", help="report, or kill: report and end the command.")
    ] = "report",
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Check the machine first; with an error nothing is started.")
    ] = False,
    log: Annotated[
        Optional[Path], typer.Option("--log", metavar="FILE", help="Write everything that it says to this file, too.")
    ] = None,
    rules: options.RuleDirs = None,
    format_name: options.Format = "text",
    output: options.Output = None,
    color: options.Color = "auto",
    verbose: options.Verbose = False,
) -> None:
    """Run a command as if it were run directly; where it crashes or hangs, say why on stderr.

    The exit status is the command's.
    """
    from gpudoctor.cli.run.work import Wanted
    from gpudoctor.cli.run.work import run as run_command
    from gpudoctor.errors import UsageError

    if on_hang not in ("report", "kill"):
        raise UsageError(f"--on-hang {on_hang!r} is none of report, kill")
    run_command(
        Wanted(
            command=tuple(command or ()),
            hang_after_s=hang_after,
            kill_on_hang=on_hang == "kill",
            preflight=preflight,
            log=log,
            rules=tuple(rules or ()),
            format_name=format_name,
            output=output,
            color=color,
            verbose=verbose,
        )
    )
