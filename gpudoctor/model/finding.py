"""Findings: what the rules conclude. The JSON keys are a contract (docs/report.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, field

Severity = Literal["error", "warning", "info"]
Needs = Literal["user", "root", "reboot", "hardware"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

# One list type only: a union of two cannot be decoded.
Plain = str | int | float | bool | Sequence[str | int] | None


class Evidence(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A fact with its value and source, or a line of a file. `label` reads better than the path in a terminal."""

    fact: str = ""
    value: Plain = None
    source: str = ""
    label: str = ""
    file: str = ""
    line: int = 0
    text: str = ""


class Fix(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to do. `command` can be pasted into a shell; "" where the fix is no command."""

    title: str
    command: str = ""
    env: dict[str, str] = field(default_factory=dict)
    caveat: str = ""
    undo: str = ""
    needs: Needs = "user"


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cause with its evidence and fixes, best fix first. `rank` starts at 1: the root cause."""

    rank: int
    id: str
    cause: str
    severity: Severity
    confidence: float
    title: str
    why: str
    subject: str
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]
    verify: str
    echo_of: str | None
    fingerprint: str


class NotEvaluated(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that could not be decided, and what it would have needed: `path: reason`."""

    rule: str
    missing: tuple[str, ...]
