"""What `gpudoctor explain` does, once its command line is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def show(name: str, rules: Sequence[Path] = (), format_name: str = "text", color: str = "auto") -> None:
    """Print the page of a rule or cause. Raises UsageError where nothing is called so."""
    import io

    from gpudoctor.cli.explain.rule_docs import cause_doc, rule_doc
    from gpudoctor.cli.findings.rule_set import rule_set
    from gpudoctor.cli.write import render_options, write_stdout
    from gpudoctor.engine.catalogue import did_you_mean
    from gpudoctor.engine.causes import causes
    from gpudoctor.errors import UsageError
    from gpudoctor.render import explain as pages

    loaded = rule_set(tuple(rules), logs=True)
    rule = loaded.find(name)
    if rule is None and name not in causes():
        names = [*(entry.id for entry in loaded.rules), *causes()]
        raise UsageError(f"no rule or cause is called {name!r}", did_you_mean(name, names))
    page = rule_doc(rule) if rule is not None else cause_doc(name, loaded)
    text = io.StringIO()
    if format_name == "json":
        pages.render_json(page, text)
    else:
        pages.render_text(page, text, render_options(color, verbose=True))
    write_stdout(text.getvalue())
