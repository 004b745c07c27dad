"""Prose as it is written in rules and docs, laid out for a terminal: paragraphs, lists, code, headings.

For our own text only: in a finding, which holds foreign values, a star or bracket is part of the value.
"""

from __future__ import annotations

import re

from msgspec import Struct

from gpudoctor.render.sanitize import clean_lines
from gpudoctor.render.terminal.canvas import Canvas, Span, Style

_BULLET = re.compile(r"( {0,6})([-*]|\d{1,3}[.)]) +(.*)")
_HEADING = re.compile(r"#{1,4} +(.*)")
_INLINE = re.compile(r"(`[^`]{1,200}`|\*\*[^*]{1,200}\*\*|\{[^{}]{1,200}\})")
_FILTER = re.compile(r"(\{[^{}|]{1,200})\|[a-z_]{1,20}\}")
_PLACE = re.compile(r"\{[^{}|]*(?:\|(?P<filter>[a-z_]{1,20}))?\}")
_NOUNS = {"n_gpus": "GPUs", "n_pairs": "pairs", "n_processes": "processes"}  # what these filters write besides
_LINK = re.compile(r"\[([^\]]{1,200})\]\((https?://[^)\s]{1,500})\)")


class Block(Struct):
    """A paragraph, list item, heading or block of code; `lines` are joined unless it is code."""

    kind: str  # text | item | heading | code
    lines: list[str]
    marker: str = ""
    indent: int = 0


def draw(canvas: Canvas, text: str, indent: int = 2) -> None:
    """Draw the whole text."""
    previous = ""
    for block in blocks(text):
        if not (block.kind == previous == "item"):
            canvas.blank()
        previous = block.kind
        _draw_block(canvas, block, indent)


def blocks(text: str) -> list[Block]:
    """Cut into blocks: a blank line, a list marker, a heading or a fence starts a new one."""
    out: list[Block] = []
    fenced = fresh = False
    for line in clean_lines(text, 50_000):
        if line.lstrip().startswith("```"):
            fenced, fresh = not fenced, True
            if fenced:
                out.append(Block("code", []))
        elif fenced:
            out[-1].lines.append(line)
        else:
            fresh = _take(out, line, fresh=fresh or not out)
    return [block for block in out if any(line.strip() for line in block.lines)]


def _take(out: list[Block], line: str, *, fresh: bool) -> bool:
    """Add a line outside fences; returns whether the next line starts a new block."""
    bullet, heading = _BULLET.match(line), _HEADING.match(line)
    if not line.strip():
        if out and out[-1].kind == "code":
            out[-1].lines.append("")
        return True
    if heading:
        out.append(Block("heading", [heading[1]]))
        return True
    if bullet:
        marker = "•" if bullet[2] in "-*" else bullet[2]
        out.append(Block("item", [bullet[3]], marker, len(bullet[1])))
        return False
    if line.startswith("    ") and (fresh or out[-1].kind == "code") and not _continues_item(out):
        if not out or out[-1].kind != "code":
            out.append(Block("code", []))
        out[-1].lines.append(line[4:])
        return False
    if fresh or out[-1].kind in ("heading", "code"):
        out.append(Block("text", []))
    out[-1].lines.append(line.strip())
    return False


def _continues_item(out: list[Block]) -> bool:
    return bool(out) and out[-1].kind == "item"


def _draw_block(canvas: Canvas, block: Block, indent: int) -> None:
    if block.kind == "code":
        while block.lines and not block.lines[-1].strip():
            block.lines.pop()
        for line in block.lines:
            canvas.command("    " + line if line else "")
        return
    spans = styled(" ".join(block.lines), "strong" if block.kind == "heading" else "plain")
    if block.kind == "item":
        left = indent + block.indent
        canvas.paragraph(*spans, indent=left, hang=left + len(block.marker) + 1, lead=(block.marker, "plain"))
    else:
        canvas.paragraph(*spans, indent=0 if block.kind == "heading" else indent)


def places(text: str) -> str:
    """The places of a template as a reader needs them: `{visible.raw|sh}` is `{visible.raw}`."""
    return _FILTER.sub(r"\1}", text)


def without_places(text: str) -> str:
    """A template where no machine is meant: `x{lanes} slot for GPU {first(narrow)}` is `x… slot for GPU …`."""
    return _PLACE.sub(lambda place: f"… {noun}" if (noun := _NOUNS.get(place["filter"])) else "…", text)


def styled(text: str, style: Style = "plain") -> list[Span]:
    """`code` keeps its ticks, **strong** loses its stars, a link shows its address, a {place} is marked."""
    spans: list[Span] = []
    for part in _INLINE.split(places(_LINK.sub(r"\1 (\2)", text))):
        if part[:1] in ("`", "{") and len(part) > 2:
            spans.append((part, "code"))
        elif part.startswith("**") and len(part) > 4:
            spans.append((part[2:-2], "strong"))
        elif part:
            spans.append((part, style))
    return spans
