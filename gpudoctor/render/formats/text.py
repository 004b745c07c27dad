"""Text for a terminal: the cause first, then one fix to copy, then why, then the rest."""

from __future__ import annotations

from typing import TextIO

from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.arrange import roots
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal import finding, gaps, gpus, machine, timeline
from gpudoctor.render.terminal.canvas import Canvas, prose
from gpudoctor.render.terminal.measure import columns

NAME = "text"


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the report for a person."""
    canvas = Canvas(options)
    _headline(canvas, report)
    _outcome(canvas, report)
    _findings(canvas, report, verbose=options.verbose)
    if report.smoke:
        from gpudoctor.render.terminal import smoke

        smoke.draw(canvas, report.smoke, verbose=options.verbose)
    if report.fit:
        from gpudoctor.render.terminal import fit

        fit.draw(canvas, report.fit, verbose=options.verbose)
    timeline.draw(canvas, report.facts, verbose=options.verbose)
    machine.draw(canvas, report.facts)
    gpus.draw(canvas, report.facts, verbose=options.verbose)
    gaps.draw(canvas, report, verbose=options.verbose)
    _last_lines(canvas, report)
    out.write(canvas.text())


def _headline(canvas: Canvas, report: Report) -> None:
    """Tool and machine in one line: what does not fit is below anyway."""
    text = f"{report.tool.name} {report.tool.version}"
    for part in words.machine(report.facts):
        longer = f"{text} · {clean_prose(part, 200)}"
        if columns(longer) > canvas.width:
            break
        text = longer
    canvas.line((text, "faint"))


def _outcome(canvas: Canvas, report: Report) -> None:
    """What there is to say without a finding: all is well, or there is no diagnosis."""
    error = words.error_of(report)
    if error or report.status == "unknown":
        canvas.blank()
        canvas.rule("UNKNOWN", "warning", heavy=True)
        canvas.paragraph((words.verdict(report), "strong"))
        if error and error[1]:
            canvas.blank()
            canvas.paragraph(("hint: ", "ok"), *prose(error[1]))
    elif report.status == "ok":
        canvas.blank()
        canvas.rule("OK", "ok", heavy=True)
        canvas.paragraph((words.verdict(report), "strong"))
        if report.summary.rules_evaluated:
            _what_was_checked(canvas, report)


def _what_was_checked(canvas: Canvas, report: Report) -> None:
    canvas.paragraph((gaps.counts(report), "faint"))
    answered = [probe.name for probe in report.probes if probe.status == "ok"]
    if answered:
        canvas.blank()
        canvas.paragraph(("Checked: ", "strong"), (words.checked(answered), "plain"), indent=2)
    count = report.facts.gpus.visible_count.or_none() or 0
    if count > 1:
        canvas.blank()
        canvas.paragraph(("To prove it with real traffic between the GPUs:", "plain"), indent=2)
        canvas.command(f"gpudoctor nccl-test --tp {count}")


def _findings(canvas: Canvas, report: Report, *, verbose: bool) -> None:
    all_roots = roots(report.findings)
    loud = [root for root in all_roots if root.finding.severity != "info"]
    for number, root in enumerate(loud):
        if number == 0 or verbose:
            finding.draw_full(canvas, root, verbose=verbose)
        else:
            finding.draw_short(canvas, root)
    quiet = [root for root in all_roots if root.finding.severity == "info"]
    if quiet and verbose:
        for root in quiet:
            finding.draw_full(canvas, root, verbose=verbose)
    elif quiet:
        canvas.blank()
        canvas.rule("NOTES", "info")
        for root in quiet:
            for one in (root.finding, *root.echoes):
                finding.draw_line(canvas, one)


def _last_lines(canvas: Canvas, report: Report) -> None:
    """Where a terminal stops scrolling: the counts, and the first thing to do once more."""
    if words.error_of(report) and not report.findings and not report.notes:
        return
    canvas.blank()
    canvas.rule("SUMMARY", "faint")
    for note in report.notes:
        canvas.paragraph(*prose(note), indent=2, hang=4, lead=("• ", "plain"))
    said = words.counts(report) if report.findings or report.status != "ok" else words.verdict(report)
    covered = f"; {gaps.counts(report)}" if report.summary.rules_evaluated or not (report.smoke or report.fit) else ""
    canvas.paragraph((said, "strong"), (covered, "plain"), indent=2)
    loud = [root.finding for root in roots(report.findings) if root.finding.severity != "info"]
    if loud:
        canvas.paragraph(("First: ", "strong"), *prose(loud[0].title), indent=2)
        if loud[0].fixes:
            canvas.paragraph(("Fix: ", "ok"), *prose(loud[0].fixes[0].title), indent=2)
        canvas.paragraph((f"More about it: gpudoctor explain {words.topic(loud[0])}", "faint"), indent=2)
