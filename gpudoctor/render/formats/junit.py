"""JUnit XML for CI: a test case for each finding, undecided rule and probe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from msgspec import Struct

from gpudoctor.model.finding import Finding, Severity
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.options import FailOn, RenderOptions
from gpudoctor.render.sanitize import clean, clean_lines, escape_html

NAME = "junit"
_FAILS: dict[FailOn, tuple[Severity, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


class Case(Struct, frozen=True):
    """A test case; `outcome` is the name of its XML element, "" for a pass."""

    name: str
    classname: str
    seconds: float = 0.0
    outcome: str = ""
    kind: str = ""
    message: str = ""
    body: str = ""


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write both suites; which findings are failures follows `fail_on`, so that it agrees with the exit code."""
    fails = _FAILS[options.fail_on]
    rules = [_finding(finding, fails) for finding in report.findings]
    rules += [
        Case(entry.rule, "gpudoctor.rules", outcome="skipped", message=", ".join(entry.missing))
        for entry in report.not_evaluated
    ]
    error = words.error_of(report)
    if error or report.status == "unknown":
        hint = error[1] if error else ""
        rules.append(Case("diagnosis", "gpudoctor", 0.0, "error", "undiagnosed", words.verdict(report), hint))
    if report.smoke:
        rules.append(Case(words.smoke(report), "gpudoctor.smoke"))  # what failed is a finding, and a failure above
    elif not report.findings and report.status == "ok":
        rules.append(Case(words.plural(report.summary.rules_evaluated, "rule") + " evaluated", "gpudoctor.rules"))
    suites = (("gpudoctor.rules", rules), ("gpudoctor.probes", [_probe(probe) for probe in report.probes]))
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gpudoctor">\n')
    for name, cases in suites:
        out.writelines(f"{line}\n" for line in _suite(name, cases, report.created_at))
    out.write("</testsuites>\n")


def _finding(finding: Finding, fails: tuple[Severity, ...]) -> Case:
    body = [finding.why, *(text for fix in finding.fixes for text in (f"fix: {fix.title}", words.paste(fix)))]
    body += [f"{words.label(item)}: {item.text or words.value(item)}" for item in finding.evidence]
    outcome = "failure" if finding.severity in fails else "system-out"
    return Case(
        name=f"{finding.id} [{finding.subject}]",
        classname=f"gpudoctor.rules.{finding.cause}",
        outcome=outcome,
        kind=finding.severity,
        message=finding.title,
        body="\n".join(text for text in body if text),
    )


def _probe(probe: ProbeResult) -> Case:
    outcome = {"ok": "", "skipped": "skipped", "failed": "error", "timeout": "error"}[probe.status]
    return Case(probe.name, "gpudoctor.probes", probe.seconds, outcome, probe.status, probe.reason)


def _suite(name: str, cases: list[Case], created_at: str) -> Iterator[str]:
    number = {kind: sum(case.outcome == kind for case in cases) for kind in ("failure", "error", "skipped")}
    seconds = sum(case.seconds for case in cases)
    yield (
        f'  <testsuite name="{name}" tests="{len(cases)}" failures="{number["failure"]}" errors="{number["error"]}"'
        f' skipped="{number["skipped"]}" time="{seconds:.3f}" timestamp="{_text(created_at.removesuffix("Z"))}">'
    )
    for case in cases:
        yield from _case(case)
    yield "  </testsuite>"


def _case(case: Case) -> Iterator[str]:
    head = f'    <testcase classname="{_text(case.classname)}" name="{_text(case.name)}" time="{case.seconds:.3f}"'
    body = "\n".join(escape_html(line) for line in clean_lines(case.body))
    if not case.outcome:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if case.outcome == "system-out":
        yield f"      <system-out>{_text(case.kind)}: {_text(case.message)}\n{body}</system-out>"
    elif case.outcome == "skipped":
        yield f'      <skipped message="{_text(case.message)}"/>'
    else:
        yield f'      <{case.outcome} type="{_text(case.kind)}" message="{_text(case.message)}">{body}</{case.outcome}>'
    yield "    </testcase>"


def _text(text: str) -> str:
    return escape_html(clean(text, 1000))
