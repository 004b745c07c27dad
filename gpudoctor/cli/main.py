"""The entry point: every way out of the program passes here, with its exit code and, for JSON, a valid document."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from gpudoctor.cli.exit import ExitCode
from gpudoctor.errors import GpudoctorError, UsageError


def main() -> None:
    """Run the command line and exit. An uncaught exception is exit 3, never 1."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:  # no need to load the command line for that
        from gpudoctor import __version__

        _leave(_print(f"gpudoctor {__version__}"))
    _leave(_guarded(arguments))


def _guarded(arguments: list[str]) -> ExitCode:
    try:
        from gpudoctor.cli.app import run

        return run(arguments)
    except (BrokenPipeError, SystemExit):  # typer leaves at once where its own output meets a closed pipe
        return _closed_pipe(ExitCode.OK)
    except KeyboardInterrupt:
        failure = _Failure("interrupted", "", ExitCode.INTERRUPTED)
    except GpudoctorError as error:
        code = ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.NO_DIAGNOSIS
        failure = _Failure(str(error), error.hint, code)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a defect of ours must not look like a finding
        failure = _unexpected(error, arguments)
    from gpudoctor.cli.failure import report_failure

    return report_failure(arguments, failure.message, failure.hint, failure.code)


class _Failure(NamedTuple):
    message: str
    hint: str
    code: ExitCode


def _unexpected(error: Exception, arguments: list[str]) -> _Failure:
    """A command line that typer refuses, or a defect."""
    from gpudoctor.cli.app import usage_message

    message = usage_message(error)
    if message is not None:
        return _Failure(message, _help_hint(arguments), ExitCode.USAGE)
    return _Failure(*_defect(error), ExitCode.NO_DIAGNOSIS)


def _help_hint(arguments: list[str]) -> str:
    verb = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    return f"gpudoctor {verb} --help".replace("  ", " ") + " shows what there is"


def _defect(error: Exception) -> tuple[str, str]:
    import traceback

    if os.environ.get("GPUDOCTOR_TRACEBACK"):
        traceback.print_exc()
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(place.filename)}:{place.lineno}"  # noqa: PTH119
    return (
        f"internal error: {type(error).__name__}: {error} ({where})",
        "this is a defect of gpudoctor; run again with GPUDOCTOR_TRACEBACK=1 and report what it prints",
    )


def _print(text: str) -> ExitCode:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe(ExitCode.OK)
    return ExitCode.OK


def _closed_pipe(code: ExitCode) -> ExitCode:
    """Nobody reads on (`| head`): no error. The stream is replaced, or Python would complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _leave(code: ExitCode) -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _closed_pipe(code)
    sys.exit(int(code))
