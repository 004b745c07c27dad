"""Gauges for node_exporter's textfile collector. No timestamps, no text in labels that changes from run to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TextIO

from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.sanitize import clean

NAME = "prometheus"
_STATUSES = ("ok", "warning", "error", "unknown")


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the metrics; the caller writes to a temporary file and renames it, as the collector asks."""
    del options  # the format has no variants
    for name, help_text, samples in _families(report):
        lines = list(dict.fromkeys(samples))
        if lines:
            out.write(f"# HELP {name} {help_text}\n# TYPE {name} gauge\n")
            out.writelines(f"{name}{line}\n" for line in lines)


def _families(report: Report) -> Iterator[tuple[str, str, Iterator[str]]]:
    tool = {"version": report.tool.version}
    stamp = datetime.fromisoformat(report.created_at.replace("Z", "+00:00")).timestamp()
    summary = report.summary
    severities = {"error": summary.errors, "warning": summary.warnings, "info": summary.infos}
    yield "gpudoctor_info", "Version of gpudoctor.", iter([f"{_labels(tool)} 1"])
    yield "gpudoctor_last_run_timestamp_seconds", "When the report was made.", iter([f" {stamp:.0f}"])
    yield (
        "gpudoctor_status",
        "1 for the status of the report, 0 for the others.",
        (f"{_labels({'status': status})} {int(status == report.status)}" for status in _STATUSES),
    )
    yield "gpudoctor_finding", "1 for each finding, by GPU where it is about one.", _findings(report)
    yield (
        "gpudoctor_findings",
        "Number of findings.",
        (f"{_labels({'severity': severity})} {number}" for severity, number in severities.items()),
    )
    yield "gpudoctor_rules_evaluated", "Rules that could be decided.", iter([f" {summary.rules_evaluated}"])
    undecided = len({entry.rule for entry in report.not_evaluated})
    yield "gpudoctor_rules_not_evaluated", "Rules that could not be decided.", iter([f" {undecided}"])
    yield "gpudoctor_smoke", "1 for the smoke run: verdict, backend and what it tested.", _smoke(report)
    ran = [probe for probe in report.probes if probe.status != "skipped"]
    yield (
        "gpudoctor_probe_success",
        "Whether the probe answered.",
        (f"{_labels({'probe': probe.name})} {int(probe.status == 'ok')}" for probe in ran),
    )
    yield (
        "gpudoctor_probe_duration_seconds",
        "How long the probe took.",
        (f"{_labels({'probe': probe.name})} {probe.seconds:.6f}" for probe in ran),
    )


def _smoke(report: Report) -> Iterator[str]:
    if report.smoke:
        run = report.smoke
        labels = {"verdict": run.verdict, "backend": run.backend, "phase": run.phase, "tested": run.statement}
        yield f"{_labels(labels)} 1"


def _findings(report: Report) -> Iterator[str]:
    for finding in report.findings:
        for gpu in words.gpu_indices(finding.subject) or [""]:
            labels = {"rule": finding.id, "cause": finding.cause, "severity": finding.severity, "gpu": gpu}
            yield f"{_labels(labels)} 1"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_value(text)}"' for name, text in labels.items()) + "}"


def _value(text: str) -> str:
    return clean(text, 200).replace("\\", "\\\\").replace('"', '\\"')
