"""One self-contained page: no script, nothing loaded, light and dark, readable by a screen reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Evidence, Finding, Fix
from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.arrange import Root, missing, roots
from gpudoctor.render.html_page import command, page, prose, table, text
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.terminal.gaps import counts, helps
from gpudoctor.render.terminal.gpus import MEANING, kind, links_of
from gpudoctor.render.terminal.machine import rows

NAME = "html"


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the page; `verbose` unfolds what is folded."""
    ordered = roots(report.findings)
    body = [
        *_head(report),
        *(line for number, root in enumerate(ordered) for line in _finding(root, leading=number == 0)),
        *_machine(report),
        *_matrix(report.facts),
        *_unknown(report, opened=options.verbose),
        *_foot(report),
    ]
    out.write(page(f"gpudoctor: {words.verdict(report)}", body))


def _head(report: Report) -> Iterator[str]:
    known = " · ".join([f"{report.tool.name} {report.tool.version}", *words.machine(report.facts)])
    yield f'<header>\n<p class="soft">{text(known, 400)}</p>'
    yield f'<p class="soft">{text(words.counts(report))}; {text(counts(report))}</p>\n</header>'
    if report.status in ("ok", "unknown"):
        error = words.error_of(report)
        yield f'<section class="outcome {report.status}">\n<p class="tag">{report.status.upper()}</p>'
        yield f"<h1>{text(words.verdict(report))}</h1>"
        if error and error[1]:
            yield f"<p>Hint: {prose(error[1])}</p>"
        yield "</section>"


def _finding(root: Root, *, leading: bool) -> Iterator[str]:
    finding = root.finding
    level = "h1" if leading and finding.severity != "info" else "h2"
    yield f'<article class="{finding.severity}">\n<p class="tag">{words.LABELS[finding.severity]}</p>'
    yield f"<{level}>{text(finding.title, 400)}</{level}>"
    parts = [finding.cause, words.subject(finding.subject), words.certainty(finding)]
    yield f'<p class="soft">{text(" · ".join(part for part in parts if part))}</p>'
    for fix in finding.fixes[:1]:
        yield from _fix("Fix", fix)
    if finding.why:
        yield f"<h3>Why</h3>\n<p>{prose(finding.why)}</p>"
    if finding.evidence:
        yield "<h3>Evidence</h3>"
        yield table([_evidence(item) for item in finding.evidence], "Evidence")
    if finding.verify:
        yield f"<h3>To prove it</h3>\n{command(finding.verify)}"
    for fix in finding.fixes[1:]:
        yield from _fix("Or", fix)
    yield from _echoes(root.echoes)
    yield "</article>"


def _fix(heading: str, fix: Fix) -> Iterator[str]:
    needs = words.NEEDS[fix.needs]
    yield f"<h3>{heading}: {prose(fix.title)}{f' ({needs})' if needs else ''}</h3>"
    pasted = words.paste(fix)
    if pasted:
        yield command(pasted)
    for name, remark in (("Caveat", fix.caveat), ("Undo", fix.undo)):
        if remark:
            yield f"<p>{name}: {prose(remark)}</p>"


def _evidence(item: Evidence) -> tuple[str, str]:
    source = item.source or (words.place(item) if item.label or item.fact else "")
    tail = f' <span class="soft">({text(source, 200)})</span>' if source else ""
    return text(words.label(item), 200), text(item.text or words.value(item)) + tail


def _echoes(echoes: Sequence[Finding]) -> Iterator[str]:
    if echoes:
        yield "<h3>Follows from this, and should go with it</h3>\n<ul>"
        yield from (f"<li>{prose(echo.title, 400)}</li>" for echo in echoes)
        yield "</ul>"


def _machine(report: Report) -> Iterator[str]:
    known = [(text(row.label), text(", ".join(row.parts))) for row in rows(report.facts)]
    if known:
        yield f"<section>\n<h2>Machine</h2>\n{table(known, 'Machine')}\n</section>"


def _matrix(facts: Facts) -> Iterator[str]:
    gpus = facts.gpus.devices.or_none() or ()
    links = links_of(facts.topology.pairs.or_none() or ())
    if len(gpus) < 2 or not links.link:
        return
    yield '<section>\n<h2>Links between GPUs</h2>\n<div class="scroll">\n<table class="matrix">'
    yield "<tr><th>GPU</th>" + "".join(f'<th scope="col">{gpu.index}</th>' for gpu in gpus) + "</tr>"
    for row in gpus:
        cells = "".join(f"<td>{text(links.cell(row.index, other.index), 10)}</td>" for other in gpus)
        yield f'<tr><th scope="row">{row.index}</th>{cells}</tr>'
    present = {kind(link) for link in links.link.values()}
    legend = " · ".join(
        f"{'NV#' if key == 'NV' else key} {meaning}" for key, meaning in MEANING.items() if key in present
    )
    yield f'</table>\n</div>\n<p class="soft">{text(legend)}. {text(links.permission())}</p>\n</section>'


def _unknown(report: Report, *, opened: bool) -> Iterator[str]:
    troubled = [probe for probe in report.probes if probe.status in ("failed", "timeout")]
    groups = missing(report.not_evaluated)
    if not troubled and not groups:
        return
    yield f"<section>\n<details{' open' if opened else ''}>\n<summary>What could not be seen</summary>"
    known = [(text(f"probe {probe.name}", 100), text(f"{probe.status}: {probe.reason}")) for probe in troubled]
    known += [(text(group.reason.replace("_", " ")), text(words.gap(group.paths, group.detail))) for group in groups]
    yield table(known, "What could not be seen")
    for sentence, line in helps(report):
        yield f"<p>{text(sentence)}</p>\n{command(line)}"
    yield "</details>\n</section>"


def _foot(report: Report) -> Iterator[str]:
    yield from (f"<p>{prose(note)}</p>" for note in report.notes)
    yield f'<footer class="soft"><p>{text(report.created_at, 40)}</p></footer>'
