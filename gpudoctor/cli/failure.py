"""The way out when there is no report: a message for people, a valid document for machines."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

from gpudoctor.cli import streams
from gpudoctor.cli.exit import ExitCode
from gpudoctor.model.report import ErrorKind


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, read from arguments that may not parse. Nothing after `--` is ours."""
    ours = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    return "--format=json" in ours or any(pair == ("--format", "json") for pair in pairwise(ours))


def report_failure(arguments: Sequence[str], message: str, hint: str, code: ExitCode) -> ExitCode:
    """Say what went wrong on stderr and, where JSON was asked for, in a report on stdout."""
    from gpudoctor.render.sanitize import clean, clean_lines

    said = [f"gpudoctor: {line}" if not number else line for number, line in enumerate(clean_lines(message))]
    said += [f"hint: {clean(hint)}"] if hint else []
    with suppress(OSError):  # nobody can be told that stderr is full or closed
        sys.stderr.write("\n".join(said) + "\n")
        sys.stderr.flush()
    if wants_json(arguments):
        from gpudoctor.cli.findings.assemble import TOOL
        from gpudoctor.render import renderer
        from gpudoctor.render.error_report import error_report
        from gpudoctor.render.options import RenderOptions

        kind: ErrorKind = "usage" if code is ExitCode.USAGE else "undiagnosable"
        report = error_report(message, hint=hint, kind=kind, exit_code=int(code), tool=TOOL)
        text = io.StringIO()
        renderer("json").render(report, text, RenderOptions())
        try:
            streams.write(text.getvalue())
        except OSError:  # it may be what we report: a full disk
            streams.discard_stdout()
    return code
