"""JSON that is always valid, always in the same order, and safe to show in a terminal."""

from __future__ import annotations

import re

import msgspec

# JSON allows DEL, C1 and invisible characters unescaped; a terminal, an editor or a diff acts on them, and consumers
# that read by lines break at Unicode's line separators. Named by what it is not: compiling the long ranges takes 6 ms.
_SUSPECT = re.compile("[^\x00-\x7e]")


def json_text(value: object, *, escape_all: bool = False) -> str:
    """Two-space indent, a final line break. `escape_all`: ASCII only, for a stream that can show no more.

    Structs keep the order of their fields; keys of mappings are sorted. Raises TypeError for what is no JSON.
    """
    encoder = msgspec.json.Encoder(order="deterministic")
    try:
        compact = encoder.encode(value)
    except UnicodeEncodeError:
        compact = encoder.encode(_without_surrogates(msgspec.to_builtins(value)))
    text = msgspec.json.format(compact, indent=2).decode()
    return _SUSPECT.sub(_escape if escape_all else _escape_invisible, text) + "\n"


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
