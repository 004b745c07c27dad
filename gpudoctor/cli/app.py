"""The verbs, wired together. Their `command.py` has `register(app)` and imports what it needs when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import typer

from gpudoctor import __version__
from gpudoctor.cli.exit import ExitCode, PassedOn

if TYPE_CHECKING:
    from gpudoctor.cli.examine.examiner import Examiner


# In the order of --help.
VERBS: Final = ("check", "diagnose", "run", "nccl-test", "fit", "snapshot", "explain", "rules")


def usage_message(error: Exception) -> str | None:
    """What typer says about a command line that it refuses; None for any other error.

    The base class of BadParameter is click's UsageError, whether typer brings its own click or uses the installed one.
    """
    if not isinstance(error, typer.BadParameter.__bases__[0]):
        return None
    text = getattr(error, "format_message", error.__str__)()
    return str(text)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gpudoctor {__version__}")
        raise typer.Exit


def build(first_word: str = "") -> typer.Typer:
    """The application with the verb that is the first word, or with every verb: each costs milliseconds."""
    app = typer.Typer(
        name="gpudoctor",
        help="Name the root cause of a broken multi-GPU run, and print the fix for this machine.",
        epilog="Exit codes: 0 nothing found, 1 findings, 2 usage, 3 could not diagnose, 130 interrupted.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
    ) -> None:
        """Name the root cause of a broken multi-GPU run, and print the fix for this machine."""

    for verb in (first_word,) if first_word in VERBS else VERBS:
        import_module(f"gpudoctor.cli.{verb.replace('-', '_')}.command").register(app)
    return app


def run(arguments: list[str], examiner: Examiner | None = None) -> int:
    """Run one command line; a verb raises `typer.Exit` with its exit code, and finds `examiner` in `context.obj`."""
    command = typer.main.get_command(build(*arguments[:1]))
    try:
        code = command.main(args=arguments, prog_name="gpudoctor", standalone_mode=False, obj=examiner)
    except PassedOn as ended:
        return ended.status
    if code == ExitCode.INTERRUPTED:  # typer turns the interrupt into a code; the caller has more to do than to exit
        raise KeyboardInterrupt
    return ExitCode(code) if isinstance(code, int) else ExitCode.OK
