"""The way out when there is no report: a message for people, a valid document for machines."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from gpudoctor.cli import streams
from gpudoctor.cli.exit import ExitCode
from gpudoctor.errors import GpudoctorError
from gpudoctor.model.report import ErrorKind


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, read from arguments that may not parse. Nothing after `--` is ours."""
    ours = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    return "--format=json" in ours or any(pair == ("--format", "json") for pair in pairwise(ours))


def output_file(arguments: Sequence[str]) -> Path | None:
    """The file that the report was to go to, read in the same way."""
    ours = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    named = [value for option, value in pairwise(ours) if option in {"-o", "--output"}]
    named += [word.partition("=")[2] for word in ours if word.startswith("--output=")]
    return Path(named[-1]) if named and named[-1] not in ("", "-") else None


def report_failure(arguments: Sequence[str], message: str, hint: str, code: ExitCode) -> ExitCode:
    """Say what went wrong on stderr and, where JSON was asked for, in a report where that was to go."""
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
        _deliver(text.getvalue(), output_file(arguments))
    return code


def _deliver(text: str, file: Path | None) -> None:
    """To the file, so that an old report there is not taken for this one's; else to stdout."""
    if file is not None:
        from gpudoctor.cli.write import write_file

        with suppress(OSError, GpudoctorError):  # it may be what we report: a full disk, a folder that is not ours
            write_file(file, text)
            return
    try:
        streams.write(text)
    except OSError:
        streams.discard_stdout()
