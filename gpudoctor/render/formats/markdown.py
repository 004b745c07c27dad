"""Markdown for an issue: a summary that can be read at once, everything else folded; foreign text stays text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from gpudoctor.model.finding import Evidence, Finding, Fix
from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.arrange import Root, missing, roots
from gpudoctor.render.markup import fenced, in_html, inline
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.gaps import counts
from gpudoctor.render.terminal.machine import rows

NAME = "markdown"


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the report; `verbose` unfolds every finding."""
    ordered = roots(report.findings)
    blocks = [
        f"### gpudoctor: {inline(words.verdict(report))}",
        *_hint(report),
        _table(report),
        *_overview(ordered),
        *(
            block
            for number, root in enumerate(ordered)
            for block in _details(root, opened=options.verbose or not number)
        ),
        *_unknown(report),
        *(f"Note: {inline(note)}" for note in report.notes),
        f"<sub>{in_html(report.tool.name)} {in_html(report.tool.version)}, {in_html(report.created_at)}</sub>",
    ]
    out.write("\n\n".join(blocks) + "\n")


def _hint(report: Report) -> Iterator[str]:
    error = words.error_of(report)
    if error and error[1]:
        yield f"Hint: {inline(error[1])}"


def _table(report: Report) -> str:
    lines = ["| | |", "|---|---|", f"| Result | {report.status}: {words.counts(report)} |"]
    lines += [f"| {row.label} | {inline(', '.join(row.parts), 600)} |" for row in rows(report.facts)]
    lines.append(f"| Coverage | {counts(report)} |")
    return "\n".join(lines)


def _overview(ordered: Sequence[Root]) -> Iterator[str]:
    if ordered:
        head = ["| # | | Finding | Cause |", "|---|---|---|---|"]
        yield "\n".join([*head, *(_overview_row(root.finding) for root in ordered)])


def _overview_row(finding: Finding) -> str:
    return f"| {finding.rank} | {finding.severity} | {inline(finding.title, 300)} | {inline(finding.cause, 60)} |"


def _details(root: Root, *, opened: bool) -> Iterator[str]:
    finding = root.finding
    title = f"{finding.rank}. {words.LABELS[finding.severity]}: {in_html(finding.title, 300)}"
    yield f"<details{' open' if opened else ''}>\n<summary>{title}</summary>"
    if finding.fixes:
        yield from _fix("**Fix:**", finding.fixes[0])
    if finding.why:
        yield f"**Why:** {inline(finding.why)}"
    if finding.evidence:
        yield "**Evidence:**"
        yield fenced("\n".join(_evidence(item) for item in finding.evidence), "text")
    if finding.verify:
        yield "**To prove it:**"
        yield fenced(finding.verify, "sh")
    for fix in finding.fixes[1:]:
        yield from _fix("**Or:**", fix)
    if root.echoes:
        yield "\n".join(["**Follows from this:**", "", *(f"- {inline(echo.title, 300)}" for echo in root.echoes)])
    tail = [
        inline(part, 100) for part in (finding.id, words.subject(finding.subject), words.certainty(finding)) if part
    ]
    yield " · ".join(tail)
    yield "</details>"


def _fix(heading: str, fix: Fix) -> Iterator[str]:
    needs = words.NEEDS[fix.needs]
    yield f"{heading} {inline(fix.title)}" + (f" ({needs})" if needs else "")
    command = words.paste(fix)
    if command:
        yield fenced(command, "sh")
    if fix.caveat:
        yield f"Caveat: {inline(fix.caveat)}"
    if fix.undo:
        yield f"Undo: {inline(fix.undo)}"


def _evidence(item: Evidence) -> str:
    shown = clean_prose(item.text or words.value(item), 500)
    source = item.source or (words.place(item) if item.label or item.fact else "")
    name = clean_prose(item.fact or words.label(item), 120)
    return f"{name} = {shown}" + (f"   # {clean_prose(source, 120)}" if source else "")


def _unknown(report: Report) -> Iterator[str]:
    troubled = [probe for probe in report.probes if probe.status in ("failed", "timeout")]
    groups = missing(report.not_evaluated)
    if not troubled and not groups:
        return
    yield "<details>\n<summary>What could not be seen</summary>"
    lines = [f"probe {probe.name}: {probe.status}: {clean_prose(probe.reason, 300)}" for probe in troubled]
    lines += [clean_prose(f"{group.reason}: {words.gap(group.paths, group.detail)}", 2000) for group in groups]
    yield fenced("\n".join(lines), "text")
    yield "</details>"
