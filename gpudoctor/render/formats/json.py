"""The contract: one valid document, keys in a stable order, safe to show in a terminal."""

from __future__ import annotations

import re
from typing import TextIO

import msgspec

from gpudoctor.model.report import Report
from gpudoctor.render.options import RenderOptions

NAME = "json"
# What JSON allows unescaped, and what a terminal, an editor or a diff acts on: DEL, C1, and all beyond ASCII that is
# invisible. Raw line separators also break consumers that read by lines.
_SUSPECT = re.compile("[\x7f-\uffff\U00010000-\U0010ffff]")


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the report; `options` change nothing but `unicode`, without which all beyond ASCII is escaped."""
    encoder = msgspec.json.Encoder(order="deterministic")
    try:
        compact = encoder.encode(report)
    except UnicodeEncodeError:
        compact = encoder.encode(_without_surrogates(msgspec.to_builtins(report)))
    text = msgspec.json.format(compact, indent=2).decode()
    if not text.isascii():
        text = _SUSPECT.sub(_escape_invisible if options.unicode else _escape, text)
    elif "\x7f" in text:
        text = text.replace("\x7f", "\\u007f")
    out.write(text + "\n")


def _escape_invisible(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else _escape(match)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def _without_surrogates(value: object) -> object:
    """Bytes that were no UTF-8 arrive as lone surrogates, which JSON text cannot hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value
