"""The entry point: every way out of the program passes here, with its exit code and, for JSON, a valid document."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
from typing import NoReturn

from gpudoctor.cli import signals, streams
from gpudoctor.cli.examine import examiner
from gpudoctor.cli.exit import ExitCode
from gpudoctor.cli.lean import load_msgspec
from gpudoctor.cli.own_modules import find_by_name
from gpudoctor.errors import GpudoctorError, UsageError

_NO_NAME = frozenset({errno.ENAMETOOLONG, errno.ELOOP})
_EXHAUSTED = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_LIMITS = "see ulimit -a and the limits of the container or job (files, processes, memory)"


def main() -> NoReturn:
    """Run the command line and exit. An uncaught exception is exit 3, never 1."""
    gc.disable()  # a run ends before cycles matter; looking for them takes a tenth of its time
    signals.install()
    streams.ensure_open()
    find_by_name()
    arguments = sys.argv[1:]
    try:
        code = _flushed(_guarded(arguments))
    except Exception as error:  # noqa: BLE001 - not even what reports failures could be loaded
        code = _speechless(error)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(int(code))  # everything is written; taking the interpreter apart object by object takes 10 ms


def _speechless(error: Exception) -> ExitCode:
    """Nothing more can be loaded, for want of files or memory: the exit code still says that nothing was found out."""
    with contextlib.suppress(OSError):
        os.write(2, f"gpudoctor: this machine gives gpudoctor too little: {error}\nhint: {_LIMITS}\n".encode())
    return ExitCode.NO_DIAGNOSIS


def _guarded(arguments: list[str]) -> int:
    try:
        if arguments == ["--version"]:  # no need to load the command line for that
            return _version()
        return _run(arguments)
    except (BrokenPipeError, SystemExit):  # typer leaves at once where its own output meets a closed pipe
        streams.discard_stdout()
        return ExitCode.OK
    except KeyboardInterrupt:
        failure = _Failure("interrupted", "", ExitCode.INTERRUPTED)
    except GpudoctorError as error:
        code = ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.NO_DIAGNOSIS
        failure = _Failure(str(error), error.hint, code)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a defect of ours must not look like a finding
        failure = _unexpected(error, arguments)
    signals.hold()
    from gpudoctor.cli.failure import report_failure

    return report_failure(arguments, failure.message, failure.hint, failure.code)


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["explain"]:
        return _explain(arguments)
    if arguments[:1] == ["fit"]:
        return _fit(arguments)
    if not examiner.is_wanted(arguments):
        from gpudoctor.cli.app import run

        return run(arguments)
    signals.block()  # until we wait for the examiner, some 50 ms from here
    load_msgspec()
    from gpudoctor.cli.examine import examined, order  # noqa: F401 - what both processes need is loaded once

    with examiner.Examiner() as early:
        from gpudoctor.cli.check import plain, work

        wanted = plain.read(arguments)
        if wanted is not None:
            return work.run(wanted, early)
        from gpudoctor.cli.app import run

        return run(arguments, early)


def _explain(arguments: list[str]) -> int:
    load_msgspec()
    from gpudoctor.cli.explain import plain, work

    name = plain.read(arguments)
    if name is None:
        from gpudoctor.cli.app import run

        return run(arguments)
    work.show(name)
    return ExitCode.OK


def _fit(arguments: list[str]) -> int:
    load_msgspec()
    from gpudoctor.cli.fit import plain, work

    wanted = plain.read(arguments)
    if wanted is not None:
        return work.run(wanted)
    from gpudoctor.cli.app import run

    return run(arguments)


class _Failure:
    def __init__(self, message: str, hint: str, code: ExitCode) -> None:
        self.message = message
        self.hint = hint
        self.code = code


def _unexpected(error: Exception, arguments: list[str]) -> _Failure:
    """A result that cannot be delivered, a command line that typer refuses, or a defect."""
    undelivered = streams.undelivered(error) if isinstance(error, OSError) else ""
    if undelivered:
        return _Failure(undelivered, "", ExitCode.NO_DIAGNOSIS)
    if isinstance(error, OSError) and error.errno in _NO_NAME:
        return _Failure(f"{str(error.filename)[:200]} cannot be looked at: {error.strerror}", "", ExitCode.USAGE)
    exhausted = isinstance(error, MemoryError) or getattr(error, "errno", None) in _EXHAUSTED
    if exhausted:
        what = str(getattr(error, "strerror", None) or "out of memory")
        return _Failure(f"this machine gives gpudoctor too little: {what}", _LIMITS, ExitCode.NO_DIAGNOSIS)
    from gpudoctor.cli.app import usage_message

    message = usage_message(error)
    if message is not None:
        return _Failure(message, _help_hint(arguments), ExitCode.USAGE)
    return _Failure(*_defect(error), ExitCode.NO_DIAGNOSIS)


def _help_hint(arguments: list[str]) -> str:
    from gpudoctor.cli.app import VERBS

    verb = f"{arguments[0]} " if arguments and arguments[0] in VERBS else ""
    return f"gpudoctor {verb}--help shows what there is"


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


def _version() -> ExitCode:
    from gpudoctor import __version__

    sys.stdout.write(f"gpudoctor {__version__}\n")
    sys.stdout.flush()
    return ExitCode.OK


def _flushed(code: int) -> int:
    """The code after what is still buffered has been written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        streams.discard_stdout()
        if code == ExitCode.OK and not isinstance(error, BrokenPipeError):
            return ExitCode.NO_DIAGNOSIS
    return code
