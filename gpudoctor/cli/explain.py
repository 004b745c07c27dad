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
    import io

    from gpudoctor.cli.rule_docs import cause_doc, rule_doc
    from gpudoctor.cli.rule_set import rule_set
    from gpudoctor.cli.write import render_options, write_stdout
    from gpudoctor.engine.catalogue import did_you_mean
    from gpudoctor.engine.causes import causes
    from gpudoctor.errors import UsageError
    from gpudoctor.render import explain as pages

    options.check_text_or_json(format_name)
    loaded = rule_set(tuple(rules or ()))
    rule = loaded.find(name)
    if rule is None and name not in causes():
        names = [*(entry.spec.id for entry in loaded.rules), *causes()]
        raise UsageError(f"no rule or cause is called {name!r}", did_you_mean(name, names))
    page = rule_doc(rule) if rule is not None else cause_doc(name, loaded)
    text = io.StringIO()
    if format_name == "json":
        pages.render_json(page, text)
    else:
        pages.render_text(page, text, render_options(color, verbose=True))
    write_stdout(text.getvalue())
