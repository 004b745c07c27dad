"""SARIF 2.1.0 for code-scanning dashboards; the subset that GitHub reads."""

from __future__ import annotations

from typing import TextIO
from urllib.parse import quote

from gpudoctor.model.finding import Evidence, Finding, NotEvaluated, Severity
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.json_text import json_text
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.sanitize import clean, clean_lines, clean_prose

NAME = "sarif"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
Node = dict[str, object]


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write one run."""
    del options  # the format has no variants
    rule_ids = list(dict.fromkeys([f.id for f in report.findings] + [n.rule for n in report.not_evaluated]))
    results = [_finding(finding, rule_ids.index(finding.id)) for finding in report.findings]
    results += [_undecided(entry, rule_ids.index(entry.rule)) for entry in report.not_evaluated]
    driver = {
        "name": report.tool.name,
        "version": report.tool.version,
        "rules": [_rule(one, report) for one in rule_ids],
    }
    run = {"tool": {"driver": driver}, "invocations": [_invocation(report)], "results": results}
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    out.write(json_text(document))


def _rule(rule_id: str, report: Report) -> Node:
    finding = next((finding for finding in report.findings if finding.id == rule_id), None)
    cause = finding.cause if finding else ""
    topic = clean(words.topic(finding) if finding else rule_id, 200)
    rule: Node = {"id": clean(rule_id, 200), "help": {"text": f"gpudoctor explain {topic}"}}
    return {**rule, "properties": {"tags": [clean(cause, 200)]}} if cause else rule


def _finding(finding: Finding, index: int) -> Node:
    lines = [clean_prose(finding.title), clean_prose(finding.why)]
    for fix in finding.fixes[:1]:
        lines += [f"Fix: {clean_prose(fix.title)}", *clean_lines(words.paste(fix))]
    result: Node = {
        "ruleId": clean(finding.id, 200),
        "ruleIndex": index,
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join(line for line in lines if line)},
        "locations": _locations(finding),
        "partialFingerprints": {"gpudoctor/v1": finding.fingerprint},
        "properties": {"cause": clean(finding.cause, 200), "confidence": finding.confidence},
    }
    return result


def _undecided(entry: NotEvaluated, index: int) -> Node:
    text = f"could not be decided, for want of {clean_prose(', '.join(entry.missing))}"
    return {
        "ruleId": clean(entry.rule, 200),
        "ruleIndex": index,
        "kind": "open",
        "level": "none",
        "message": {"text": text},
    }


def _locations(finding: Finding) -> list[Node]:
    """One location: the line of the first file, and the GPUs as logical resources."""
    names = [clean(part.strip(), 200) for part in finding.subject.split(",") if part.strip()]
    location: Node = {"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"} for name in names]}
    place = next((item for item in finding.evidence if item.file), None)
    if place:
        location["physicalLocation"] = _physical(place)
    return [location]


def _physical(place: Evidence) -> Node:
    physical: Node = {"artifactLocation": {"uri": quote(clean(place.file, 1000))}}
    if place.line > 0:
        physical["region"] = {"startLine": place.line}
    return physical


def _invocation(report: Report) -> Node:
    notes = [_notification(probe) for probe in report.probes if probe.status in ("failed", "timeout")]
    error = words.error_of(report)
    if error:
        notes.append({"level": "error", "message": {"text": clean_prose(" ".join(error))}})
    if report.smoke:
        notes.append({"level": "note", "message": {"text": clean_prose(words.smoke(report))}})
    return {
        "executionSuccessful": report.status != "unknown",
        "endTimeUtc": clean(report.created_at, 40),
        "toolExecutionNotifications": notes,
    }


def _notification(probe: ProbeResult) -> Node:
    name = clean(probe.name, 100)
    text = clean_prose(f"probe {name}: {probe.status} after {probe.seconds:.1f} s: {probe.reason}")
    return {"level": "warning", "message": {"text": text}, "descriptor": {"id": f"probe/{name}"}}
