"""What a command line asks of an examination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from gpudoctor.errors import UsageError
from gpudoctor.host.probe import Request

if TYPE_CHECKING:
    from gpudoctor.workload import ParsedCommand


class Order(Struct, frozen=True):
    """An examination, with all that it has to know."""

    request: Request
    timeout_s: float
    quiet: bool = False


def request_of(command: ParsedCommand | None, *, python: str | None, quick: bool) -> Request:
    """What the probes are told of a launch command. Raises UsageError."""
    if python is not None and not _is_text(python):
        raise UsageError("the path after --python is not UTF-8", "reach it by a link with another name")
    if command is None:
        return Request(python=python, quick=quick)
    return Request(
        python=python or command.workload.interpreter.or_none(),
        launch_env=command.env,
        unset=command.unset,
        undecided=command.undecided,
        filtered_by=command.filtered_by,
        elsewhere=command.elsewhere,
        clean_environment=command.clean_environment,
        passed=command.passed,
        workload=command.workload,
        quick=quick,
    )


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
