"""Lines of styled text for a terminal: every string is cleaned here, measured in columns, and wrapped by words.

Written by hand rather than with rich's Console, which takes longer to import than a whole report takes to draw.
"""

from __future__ import annotations

import re
from typing import Literal

from gpudoctor.render.options import MAX_WIDTH, MIN_WIDTH, RenderOptions
from gpudoctor.render.sanitize import altered, clean, clean_lines, to_ascii
from gpudoctor.render.terminal.measure import columns, fit, head, pad

Style = Literal[
    "plain", "strong", "faint", "error", "warning", "info", "ok", "command", "code", "near", "middle", "far", "broken"
]
Span = tuple[str, Style]
# The sixteen colours that each terminal's own theme defines, so that dark and light backgrounds both work.
_SGR: dict[Style, str] = {
    "plain": "",
    "strong": "1",
    "faint": "2",
    "error": "1;31",
    "warning": "1;33",
    "info": "1;34",
    "ok": "1;32",
    "command": "1;36",
    "code": "36",
    "near": "32",
    "middle": "",
    "far": "33",
    "broken": "31",
}
_ASCII_GLYPHS = str.maketrans(
    {"━": "=", "─": "-", "•": "-", "└": "`", "│": "|", "█": "#", "▓": "=", "▒": "+", "░": "o"}
)


class Canvas:
    """Collects lines; `text()` gives them all."""

    def __init__(self, options: RenderOptions) -> None:
        self.width = min(max(options.width, MIN_WIDTH), MAX_WIDTH)
        self._options = options
        self._lines: list[str] = []

    def text(self) -> str:
        """Everything drawn so far, each line ended."""
        return "".join(f"{line}\n" for line in self._lines)

    def blank(self) -> None:
        """One empty line, never two, none at the top."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def line(self, *spans: Span, indent: int = 0) -> None:
        """One line as it is; what is wider than the canvas is cut."""
        room = self.width - indent
        parts: list[Span] = []
        for raw, style in spans:
            text = fit(self._clean(raw), room, self._clean("…"))
            room -= columns(text)
            parts.append((text, style))
        self._emit(parts, indent)

    def paragraph(self, *spans: Span, indent: int = 0, hang: int | None = None, lead: Span = ("", "plain")) -> None:
        """Sentences, wrapped between words; lines after the first are indented by `hang`.

        `lead` is a label or bullet in front: it keeps its spaces and fills the room up to `hang`.
        """
        hang = indent if hang is None else hang
        label = self._clean(lead[0])
        row: list[Span] = [(pad(label, hang - indent), lead[1])] if label else []
        left = indent
        used = max(hang, indent + columns(label)) if label else indent
        fresh = True
        for word in self._words(spans, self.width - max(indent, hang)):
            wide = sum(columns(text) for text, _ in word)
            if not fresh and used + 1 + wide > self.width:
                self._emit(row, left)
                row, used, left, fresh = [], hang, hang, True
            if not fresh:
                row.append((" ", word[0][1]))
                used += 1
            row.extend(word)
            used += wide
            fresh = False
        if row:
            self._emit(row, left)

    def rule(self, title: str, style: Style, *, heavy: bool = False) -> None:
        """A section's title in a line across the canvas."""
        dash = self._clean("━" if heavy else "─")
        rest = dash * (self.width - len(title) - 4)
        self._emit([(dash * 2, style), (f" {title} ", style if heavy else "strong"), (rest, style)], 0)

    def command(self, text: str, style: Style = "code") -> None:
        """Something to paste: at the left edge, never wrapped, nothing around it."""
        for line in clean_lines(text):
            self._emit([(line if self._options.unicode else to_ascii(line), style)], 0)
        if altered(text):
            self.paragraph(("(characters that a terminal would act on were left out)", "warning"), indent=2)

    def _clean(self, text: str) -> str:
        text = clean(text)
        return text if self._options.unicode else to_ascii(text.translate(_ASCII_GLYPHS))

    def _words(self, spans: tuple[Span, ...], room: int) -> list[list[Span]]:
        """Words as runs of spans: a style may change within a word, as before the comma after `code`."""
        words: list[list[Span]] = []
        glued = False
        for raw, style in spans:
            for position, word in enumerate(self._clean(raw).split(" ")):
                glued = glued and position == 0
                for number, piece in enumerate(_pieces(word, room)):
                    if glued and number == 0:
                        words[-1].append((piece, style))
                    else:
                        words.append([(piece, style)])
                    glued = True
        return words

    def _emit(self, spans: list[Span], indent: int) -> None:
        parts = [(" " * indent, "plain"), *spans]
        while parts and not parts[-1][0].strip():
            parts.pop()
        if parts:
            parts[-1] = (parts[-1][0].rstrip(), parts[-1][1])
        if self._options.color:
            self._lines.append("".join(_paint(text, style) for text, style in _merged(parts)))
        else:
            self._lines.append("".join(text for text, _ in parts))


def prose(text: str, style: Style = "plain") -> list[Span]:
    """Splits text at `backticks`, which stay and get a style of their own."""
    parts = re.split(r"(`[^`]{1,200}`)", text)
    return [(part, "code" if part.startswith("`") and len(part) > 2 else style) for part in parts if part]


def _pieces(word: str, room: int) -> list[str]:
    """A word that is too long for a line is broken; a path or address is left whole, so that it can be copied."""
    if not word:
        return []
    pieces = []
    while columns(word) > room and "/" not in word:
        start = head(word, room)
        pieces.append(start)
        word = word[len(start) :]
    return [*pieces, word] if word else pieces


def _merged(spans: list[Span]) -> list[Span]:
    """Neighbours of one style joined, so that there are fewer codes."""
    out: list[Span] = []
    for text, style in spans:
        if out and out[-1][1] == style:
            out[-1] = (out[-1][0] + text, style)
        else:
            out.append((text, style))
    return out


def _paint(text: str, style: Style) -> str:
    code = _SGR[style]
    return f"\x1b[{code}m{text}\x1b[0m" if code and text else text
