"""The report: the one thing that renderers see. The JSON keys are a contract (docs/report.md)."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Finding, NotEvaluated
from gpudoctor.model.fit import FitReport
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.smoke import SmokeReport

SCHEMA = "gpudoctor.report/1"
Status = Literal["ok", "warning", "error", "unknown"]
ErrorKind = Literal["usage", "undiagnosable", "internal"]


class Tool(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wrote the report."""

    name: str
    version: str


class Summary(Struct, frozen=True, forbid_unknown_fields=True):
    """Counts."""

    errors: int
    warnings: int
    infos: int
    rules_evaluated: int


class ReportError(Struct, frozen=True, forbid_unknown_fields=True):
    """Why there is no diagnosis: exits 2 and 3. `hint` says what to do about it, or is empty."""

    message: str
    hint: str
    kind: ErrorKind
    exit_code: int


class Report(Struct, frozen=True, kw_only=True):
    """One document. `host` and `workload` are short plain summaries for people and dashboards; `facts` has all."""

    schema: str = SCHEMA
    tool: Tool
    created_at: str
    status: Status
    host: dict[str, str | int | list[str] | None]
    workload: dict[str, str | int | float | bool | list[str] | dict[str, str] | None]
    findings: tuple[Finding, ...]
    not_evaluated: tuple[NotEvaluated, ...]
    probes: tuple[ProbeResult, ...]
    facts: Facts
    summary: Summary
    notes: tuple[str, ...] = ()  # what the user should know about this report itself
    error: ReportError | UnsetType = UNSET  # the key is there only when something went wrong
    smoke: SmokeReport | UnsetType = UNSET  # the key is there only when the smoke run was asked for
    fit: FitReport | UnsetType = UNSET  # the key is there only when it was asked whether a model fits
