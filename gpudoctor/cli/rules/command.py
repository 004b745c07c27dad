"""`gpudoctor rules list|lint|test|schema`: the rules as data, and their own tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from gpudoctor.cli import options

if TYPE_CHECKING:
    from gpudoctor.engine.problem import Problem


def register(app: typer.Typer) -> None:
    """Add the verb with its four parts."""
    rules = typer.Typer(help="List, check and test rules.", no_args_is_help=True, rich_markup_mode=None)
    for name, command in (("list", list_rules), ("lint", lint_rules), ("test", run_rule_cases), ("schema", schema)):
        rules.command(name=name)(command)
    app.add_typer(rules, name="rules")


def list_rules(rules: options.RuleDirs = None, format_name: options.TextOrJson = "text") -> None:
    """Every rule: id, cause, severity, title."""
    import msgspec

    from gpudoctor.cli.explain.rule_docs import rule_doc
    from gpudoctor.cli.findings.rule_set import rule_set
    from gpudoctor.cli.write import write_stdout

    options.check_text_or_json(format_name)
    loaded = rule_set(tuple(rules or ()), logs=True).rules
    if format_name == "json":
        pages = [rule_doc(rule) for rule in loaded]
        write_stdout(msgspec.json.format(msgspec.json.encode(pages), indent=2).decode() + "\n")
        return
    width = max((len(rule.spec.id) for rule in loaded), default=0)
    for rule in sorted(loaded, key=lambda rule: (rule.spec.order, rule.spec.area, rule.spec.id)):
        spec = rule.spec
        typer.echo(f"{spec.order}  {spec.id:{width}}  {spec.severity:7}  {spec.cause}")
    typer.echo(f"\n{len(loaded)} rules. gpudoctor explain RULE shows one.")


def lint_rules(rules: options.RuleDirs = None, format_name: options.TextOrJson = "text") -> None:
    """Check every rule file: form, fact paths, types, documentation, references, test cases."""
    from gpudoctor.engine.lint import lint
    from gpudoctor.paths import log_rules_dir, rules_dir

    options.check_text_or_json(format_name)
    _report(lint([rules_dir(), log_rules_dir(), *(rules or ())]), "problem", format_name)


def run_rule_cases(rules: options.RuleDirs = None, format_name: options.TextOrJson = "text") -> None:
    """Run the test cases that the rules bring with them."""
    from gpudoctor.cli.findings.rule_set import log_reader, rule_set
    from gpudoctor.engine.cases import run_cases

    options.check_text_or_json(format_name)
    loaded = rule_set(tuple(rules or ()), logs=True).rules
    read_log = log_reader(loaded)
    results = [result for rule in loaded for result in run_cases(rule, read_log)]
    failed = [result.problem for result in results if result.problem is not None]
    if format_name == "text":
        typer.echo(f"{len(results)} cases of {len(loaded)} rules")
    _report(failed, "failed case", format_name)


def schema() -> None:
    """The JSON Schema of a rule file, for editors."""
    from gpudoctor.engine.rule_schema import rule_schema

    typer.echo(rule_schema())


def _report(problems: Sequence[Problem], what: str, format_name: str) -> None:
    """Print problems as file:line:column, and leave with 1 where there are any."""
    import msgspec

    if format_name == "json":
        typer.echo(msgspec.json.encode(list(problems)).decode())
    else:
        for problem in problems:
            typer.echo(str(problem))
        typer.echo(f"{len(problems)} {what}{'' if len(problems) == 1 else 's'}")
    if problems:
        raise typer.Exit(1)
