"""Put a result where the user wants it."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from gpudoctor.cli import signals, streams
from gpudoctor.errors import UsageError

if TYPE_CHECKING:
    from gpudoctor.cli.exit import FailOn
    from gpudoctor.model.report import Report
    from gpudoctor.render.options import RenderOptions

_DEFAULT_WIDTH = 80


def write_report(
    report: Report, format_name: str, output: Path | None, *, color: str, verbose: bool, fail_on: FailOn
) -> None:
    """Render to stdout, or to a file that is either whole or not there."""
    from gpudoctor.render import renderer

    options = render_options(color, verbose=verbose, fail_on=fail_on, to_file=output is not None)
    text = io.StringIO()
    renderer(format_name).render(report, text, options)
    if output is None:
        write_stdout(text.getvalue())
    else:
        write_file(output, text.getvalue())


def write_stdout(text: str) -> None:
    """Write and flush; that nobody reads on (`| head`) is no error, and the exit code stays that of the report."""
    signals.hold()
    try:
        streams.write(text)
    except BrokenPipeError:
        streams.discard_stdout()


def render_options(color: str, *, verbose: bool, fail_on: FailOn = "error", to_file: bool = False) -> RenderOptions:
    """What stdout (or a file) can show.

    Raises:
        UsageError: --color is none of its values.
    """
    from gpudoctor.render.color import color_wanted
    from gpudoctor.render.options import RenderOptions

    if color not in ("auto", "always", "never"):
        raise UsageError(f"--color {color!r} is none of auto, always, never")
    to_terminal = not to_file and sys.stdout.isatty()
    return RenderOptions(
        width=_terminal_width() if to_terminal else _DEFAULT_WIDTH,
        color=color_wanted(os.environ, to_terminal, cast("Literal['auto', 'always', 'never']", color)),
        verbose=verbose,
        unicode=to_file or "utf" in (sys.stdout.encoding or "").lower(),
        fail_on=fail_on,
    )


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns


def write_file(path: Path, text: str) -> None:
    """Write beside the target, then rename: a reader never sees half a file.

    Raises:
        UsageError: the folder is missing or may not be written.
    """
    if path == Path():
        raise UsageError("-o '' names no file", "choose another -o FILE")
    if str(path) == "-":
        write_stdout(text)
        return
    target = Path(os.path.realpath(path))  # what a link names is written, and the link stays
    draft = target.parent / f".gpudoctor.{os.getpid()}"
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if path.exists() and not path.is_file():  # /dev/null, a named pipe
            with path.open("wb", buffering=0) as stream:
                streams.write_all(stream.fileno(), text.encode())
            return
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror or error}", "choose another -o FILE") from error
