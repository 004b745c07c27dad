"""Annotations for GitHub Actions: one workflow command a line, and a plain last line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.sanitize import clean_lines, clean_prose

NAME = "github"
# A step shows ten annotations of each kind; the rest would be lost without a word.
MOST = 10
_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the commands; what goes beyond ten of a kind is folded into the tenth."""
    del options  # the format has no variants
    error = words.error_of(report)
    if error or report.status == "unknown":
        _command(out, "error", {"title": "gpudoctor"}, "\n".join([words.verdict(report), *(error or ())[1:]]))
    for severity, command in _COMMANDS.items():
        findings = [finding for finding in report.findings if finding.severity == severity]
        single = findings if len(findings) <= MOST else findings[: MOST - 1]
        for finding in single:
            _command(out, command, _properties(finding), _message(finding))
        rest = findings[len(single) :]
        if rest:
            _command(out, command, {"title": f"gpudoctor: {len(rest)} more"}, _titles(rest))
    if report.smoke:
        _command(out, "notice", {"title": "gpudoctor nccl-test"}, words.smoke(report))
    out.write(f"gpudoctor: {report.status}, {words.counts(report)}\n")


def _properties(finding: Finding) -> dict[str, str]:
    properties = {"title": f"{finding.id}: {finding.title}"}
    place = next((item for item in finding.evidence if item.file), None)
    if place:
        properties["file"] = place.file
        if place.line:
            properties["line"] = str(place.line)
    return properties


def _message(finding: Finding) -> str:
    lines = [clean_prose(finding.why or finding.title)]
    for fix in finding.fixes[:1]:
        lines += [f"Fix: {clean_prose(fix.title)}", *clean_lines(words.paste(fix))]
    return "\n".join(line for line in lines if line)


def _titles(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{finding.id}: {clean_prose(finding.title, 300)}" for finding in findings)


def _command(out: TextIO, name: str, properties: dict[str, str], message: str) -> None:
    pairs = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    out.write(f"::{name} {pairs}::{_data(message)}\n")


def _data(text: str) -> str:
    lines = clean_lines(text, 8000)
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return clean_prose(text, 200).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
