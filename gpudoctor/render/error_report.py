"""The report for when there is nothing to report: a wrong command line, unreadable input, a fault of our own."""

from __future__ import annotations

from datetime import datetime, timezone

from gpudoctor.model.facts import Facts
from gpudoctor.model.report import ErrorKind, Report, ReportError, Summary, Tool


def error_report(
    message: str,
    *,
    hint: str,
    kind: ErrorKind,
    exit_code: int,
    tool: Tool,
    created_at: str | None = None,
) -> Report:
    """A valid report with status "unknown", no findings and the error, so that every exit path has a document.

    `created_at` is RFC 3339 in UTC, by default now.
    """
    return Report(
        tool=tool,
        created_at=created_at or timestamp(),
        status="unknown",
        host={},
        workload={},
        findings=(),
        not_evaluated=(),
        probes=(),
        facts=Facts(),
        summary=Summary(errors=0, warnings=0, infos=0, rules_evaluated=0),
        error=ReportError(message=message, hint=hint, kind=kind, exit_code=exit_code),
    )


def timestamp() -> str:
    """Now, as RFC 3339 in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
