"""A finding: the cause, one fix to copy, why, the evidence, what proves it, then the rest in brief."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.finding import Evidence, Finding, Fix
from gpudoctor.render import evidence, words
from gpudoctor.render.arrange import Root
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas, Span, prose
from gpudoctor.render.terminal.measure import columns, pad

INDENT = 2
MAX_LABEL = 28


def draw_full(canvas: Canvas, root: Root, *, verbose: bool) -> None:
    """The leading finding."""
    finding = root.finding
    _title(canvas, finding)
    if finding.fixes:
        _fix(canvas, finding.fixes[0])
    _why(canvas, finding)
    _evidence(canvas, finding.evidence, verbose=verbose)
    if finding.verify:
        canvas.blank()
        canvas.paragraph(("To prove it", "strong"))
        canvas.command(finding.verify)
    _further(canvas, finding.fixes[1:], verbose=verbose)
    _echoes(canvas, root.echoes)


def draw_short(canvas: Canvas, root: Root) -> None:
    """A finding after the first: title, fix, why, and what was seen in one paragraph."""
    finding = root.finding
    _title(canvas, finding)
    if finding.fixes:
        _fix(canvas, finding.fixes[0])
    canvas.blank()
    if finding.why:
        canvas.paragraph(("Why: ", "strong"), *prose(finding.why))
    if finding.evidence:
        canvas.paragraph(("Seen: ", "strong"), (_seen(finding.evidence), "plain"))
    _echoes(canvas, root.echoes)


def draw_line(canvas: Canvas, finding: Finding) -> None:
    """A note: one line, wrapped where it must be."""
    where = words.subject(finding.subject)
    tail: list[Span] = [(f" ({where})", "faint")] if where else []
    canvas.paragraph(*prose(finding.title), *tail, indent=INDENT, hang=INDENT + 2, lead=("• ", "info"))


def _title(canvas: Canvas, finding: Finding) -> None:
    canvas.blank()
    canvas.rule(words.LABELS[finding.severity], finding.severity, heavy=True)
    canvas.paragraph((clean_prose(finding.title, 400), "strong"))
    parts = [finding.cause, words.subject(finding.subject), words.certainty(finding)]
    if finding.echo_of:
        parts.append(f"follows from {finding.echo_of}")
    canvas.paragraph((" · ".join(part for part in parts if part), "faint"))


def _fix(canvas: Canvas, fix: Fix) -> None:
    canvas.blank()
    canvas.paragraph(("Fix: ", "ok"), *_fix_title(fix))
    command = words.paste(fix)
    if command:
        canvas.blank()
        canvas.command(command, "command")
    remarks = (("Caveat", fix.caveat), ("Undo", fix.undo))
    if command and any(text for _, text in remarks):
        canvas.blank()
    for name, text in remarks:
        if text:
            canvas.paragraph((f"{name}: ", "strong"), *prose(text), indent=INDENT)


def _fix_title(fix: Fix) -> list[Span]:
    needs = words.NEEDS[fix.needs]
    spans = prose(fix.title)
    if needs:
        spans.append((f" ({needs})", "warning"))
    return spans


def _why(canvas: Canvas, finding: Finding) -> None:
    if finding.why:
        canvas.blank()
        canvas.paragraph(("Why", "strong"))
        canvas.paragraph(*prose(finding.why), indent=INDENT)


def _evidence(canvas: Canvas, items: Sequence[Evidence], *, verbose: bool) -> None:
    if not items:
        return
    canvas.blank()
    canvas.paragraph(("Evidence", "strong"))
    shown = evidence.lines(items)
    labels = [clean_prose(line.label, 120) for line in shown]
    width = max((columns(label) for label in labels if columns(label) <= MAX_LABEL), default=0)
    limit = 2000 if verbose else canvas.width * 3
    for label, line in zip(labels, shown, strict=True):
        _evidence_line(canvas, pad(label, width), line, limit)
        if verbose and line.fact and line.fact != line.label:
            canvas.paragraph((line.fact, "faint"), indent=INDENT * 2)


def _evidence_line(canvas: Canvas, label: str, line: evidence.Line, limit: int) -> None:
    tail = f"({clean_prose(line.source, 120)})" if line.source else ""
    hang = INDENT + columns(label) + 2
    if columns(label) > MAX_LABEL:
        canvas.paragraph((label, "plain"), indent=INDENT)
        label, hang = "  ", INDENT * 2
    text = clean_prose(line.text, limit)
    canvas.paragraph(
        (text, "strong"), ("  ", "plain"), (tail, "faint"), indent=INDENT, hang=hang, lead=(label, "plain")
    )


def _seen(items: Sequence[Evidence]) -> str:
    shown = evidence.lines(items)[:4]
    return ", ".join(f"{clean_prose(line.label, 60)} {clean_prose(line.text, 100)}" for line in shown)


def _further(canvas: Canvas, fixes: Sequence[Fix], *, verbose: bool) -> None:
    if not fixes:
        return
    canvas.blank()
    canvas.paragraph(("Other ways", "strong"))
    for fix in fixes:
        canvas.paragraph(*_fix_title(fix), indent=INDENT, hang=INDENT + 2, lead=("• ", "plain"))
        if verbose:
            for text in (fix.caveat, fix.undo):
                canvas.paragraph(*prose(text, "faint"), indent=INDENT + 2)
        command = words.paste(fix)
        if command:
            canvas.blank()
            canvas.command(command)
            canvas.blank()


def _echoes(canvas: Canvas, echoes: Sequence[Finding]) -> None:
    if not echoes:
        return
    canvas.blank()
    canvas.paragraph(("Follows from this, and should go with it", "strong"))
    for echo in echoes:
        canvas.paragraph(
            *prose(echo.title), (f" ({echo.cause})", "faint"), indent=INDENT, hang=INDENT + 2, lead=("└ ", "faint")
        )
