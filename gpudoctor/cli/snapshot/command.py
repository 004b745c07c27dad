"""`gpudoctor snapshot`: the facts as a shareable file, for `check --snapshot` anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gpudoctor.cli import options


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="snapshot", context_settings={"ignore_unknown_options": False})(snapshot)


def snapshot(
    context: typer.Context,
    launch: options.Launch = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; - for stdout.")] = Path("-"),
    python: options.Python = None,
    timeout: options.Timeout = 60.0,
    quick: options.Quick = False,
    quiet: options.Quiet = False,
    redact: Annotated[
        bool, typer.Option("--redact/--no-redact", help="Replace addresses, UUIDs, tokens and paths by pseudonyms.")
    ] = True,
) -> None:
    """Write what the probes find, redacted, to a file that others can examine with `check --snapshot`."""
    import sys

    import msgspec

    from gpudoctor.cli.examine.examiner import examine
    from gpudoctor.cli.examine.order import Order, request_of
    from gpudoctor.cli.findings.assemble import TOOL
    from gpudoctor.cli.launch import read_launch
    from gpudoctor.cli.write import write_file
    from gpudoctor.model.snapshot import SNAPSHOT_SCHEMA, Snapshot
    from gpudoctor.redact.facts import redact_facts

    command, notes = read_launch(launch)
    request = request_of(command, python=python, quick=quick)
    found = examine(context.obj, Order(request, timeout, quiet))
    facts, removed = redact_facts(found.facts) if redact else (found.facts, 0)
    bundle = Snapshot(
        schema=SNAPSHOT_SCHEMA,
        tool=TOOL,
        created_at=found.created_at,
        redacted=redact,
        facts=facts,
        probes=found.probes,
    )
    write_file(output, msgspec.json.format(msgspec.json.encode(bundle), indent=1).decode() + "\n")
    if not quiet:
        what = f"{removed} identifying values replaced" if redact else "nothing was redacted"
        sys.stderr.write("\n".join((f"{output}: {what}", *notes)) + "\n")
