"""Exit codes: a contract, decided once from the report."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gpudoctor.model.report import Report

FailOn = Literal["error", "warning", "never"]


class ExitCode(IntEnum):
    """What the shell, CI and schedulers see."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    NO_DIAGNOSIS = 3
    INTERRUPTED = 130


class PassedOn(Exception):  # noqa: N818 - the way out of a command that we ran, not an error of ours
    """The exit status of a command that was run is ours."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def exit_code(report: Report, fail_on: FailOn) -> ExitCode:
    """The code of a finished report. "Found nothing because nothing could be read" is never OK."""
    if report.status == "unknown":
        return ExitCode.NO_DIAGNOSIS
    count = {
        "error": report.summary.errors,
        "warning": report.summary.errors + report.summary.warnings,
        "never": 0,
    }[fail_on]
    return ExitCode.FINDINGS if count else ExitCode.OK
