"""`gpudoctor explain RULE|CAUSE`: the documentation of a rule, or of a cause with its rules."""

from __future__ import annotations

from typing import Annotated

import typer

from gpudoctor.cli import options


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="explain")(explain)


def explain(
    name: Annotated[str, typer.Argument(metavar="RULE|CAUSE", help="A rule id or a cause code.")],
    rules: options.RuleDirs = None,
    format_name: options.TextOrJson = "text",
    color: options.Color = "auto",
) -> None:
    """Say what a finding means, why it happens, what to do, and on which sources that rests."""
    from gpudoctor.cli.explain.work import show

    options.check_text_or_json(format_name)
    show(name, tuple(rules or ()), format_name, color)
