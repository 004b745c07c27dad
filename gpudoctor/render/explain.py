"""`explain`: a rule's documentation, or a cause with the rules that find it, as text or JSON."""

from __future__ import annotations

from typing import TextIO

from gpudoctor.model.rule_doc import CauseDoc, FixDoc, RuleDoc
from gpudoctor.render import doc_prose, words
from gpudoctor.render.json_text import json_text
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.terminal.canvas import Canvas

INDENT = 2


def render_json(page: RuleDoc | CauseDoc, out: TextIO, options: RenderOptions | None = None) -> None:
    """The page as it is in memory, keys in the order of the struct."""
    out.write(json_text(page, escape_all=options is not None and not options.unicode))


def render_text(page: RuleDoc | CauseDoc, out: TextIO, options: RenderOptions) -> None:
    """The page for a terminal."""
    canvas = Canvas(options)
    if isinstance(page, RuleDoc):
        _rule(canvas, page)
    else:
        _cause(canvas, page)
    out.write(canvas.text())


def _rule(canvas: Canvas, rule: RuleDoc) -> None:
    canvas.rule(words.LABELS[rule.severity], rule.severity, heavy=True)
    canvas.paragraph(*doc_prose.styled(rule.title, "strong"))
    origin = [
        rule.id,
        rule.area,
        f"since {rule.since}" if rule.since else "",
        "" if rule.status == "stable" else rule.status,
    ]
    canvas.paragraph((" · ".join(part for part in origin if part), "faint"))
    canvas.paragraph((rule.cause, "strong"), (f": {rule.cause_meaning}" if rule.cause_meaning else "", "plain"))
    doc_prose.draw(canvas, rule.doc, indent=0)
    _condition(canvas, rule)
    _fixes(canvas, rule)
    _references(canvas, rule)


def _condition(canvas: Canvas, rule: RuleDoc) -> None:
    if rule.condition:
        _heading(canvas, "FIRES WHEN")
        canvas.paragraph((rule.condition, "code"), indent=INDENT)
    if rule.looks_at:
        _heading(canvas, "LOOKS AT")
        canvas.paragraph((", ".join(rule.looks_at), "plain"), indent=INDENT)


def _fixes(canvas: Canvas, rule: RuleDoc) -> None:
    if rule.fixes:
        _heading(canvas, "FIXES, BEST FIRST")
    for number, fix in enumerate(rule.fixes, start=1):
        _fix(canvas, fix, f"{number}.")
    if rule.verify:
        canvas.blank()
        canvas.paragraph(("To prove it: ", "strong"), (doc_prose.places(rule.verify), "code"), indent=INDENT)


def _fix(canvas: Canvas, fix: FixDoc, marker: str) -> None:
    needs = words.NEEDS[fix.needs]
    hang = INDENT + 3
    tail = f" ({needs})" if needs else ""
    canvas.paragraph(*doc_prose.styled(fix.title), (tail, "warning"), indent=INDENT, hang=hang, lead=(marker, "plain"))
    if fix.command:
        canvas.paragraph((doc_prose.places(fix.command), "code"), indent=hang, hang=hang + 2)
    for name, text in (("Caveat", fix.caveat), ("Undo", fix.undo)):
        if text:
            canvas.paragraph((f"{name}: ", "faint"), *doc_prose.styled(text), indent=hang)


def _references(canvas: Canvas, rule: RuleDoc) -> None:
    if not rule.references:
        return
    _heading(canvas, "SOURCES")
    for reference in rule.references:
        seen = f" (read {reference.date})" if reference.date else ""
        canvas.paragraph((reference.title + seen, "plain"), indent=INDENT, hang=INDENT + 2, lead=("• ", "plain"))
        if reference.url:
            canvas.paragraph((reference.url, "faint"), indent=INDENT + 2)


def _cause(canvas: Canvas, cause: CauseDoc) -> None:
    canvas.rule("CAUSE", "info", heavy=True)
    canvas.paragraph((cause.code, "strong"))
    canvas.paragraph(*doc_prose.styled(cause.meaning))
    if cause.rules:
        canvas.blank()
        canvas.paragraph(("As the rule ", "faint"), (cause.rules[0].id, "strong"), (" knows it:", "faint"))
        doc_prose.draw(canvas, cause.rules[0].doc, indent=0)
        _references(canvas, cause.rules[0])
    _heading(canvas, "FOUND BY")
    if not cause.rules:
        canvas.paragraph(("no rule finds it yet", "plain"), indent=INDENT)
    for rule in cause.rules:
        canvas.paragraph((rule.id, "strong"), (f" ({rule.severity})", "faint"), indent=INDENT)
        canvas.paragraph(*doc_prose.styled(doc_prose.without_places(rule.title)), indent=INDENT + 2)
    if cause.rules:
        canvas.blank()
        canvas.paragraph(("More about a rule: gpudoctor explain ", "faint"), ("RULE", "code"), indent=INDENT)


def _heading(canvas: Canvas, text: str) -> None:
    canvas.blank()
    canvas.rule(text, "faint")
