"""Lines that look bad and mean nothing, beside those that rules know: `harmless_lines.json` (form: logs/pattern.py)."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from gpudoctor.paths import data_file


class HarmlessLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line to pass over, and why. `date` is the day on which `url` was read."""

    name: str
    pattern: str
    why: str
    unless: str = ""
    url: str = ""
    date: str = ""


@lru_cache(maxsize=1)
def harmless_lines() -> tuple[HarmlessLine, ...]:
    """The table."""
    return tuple(msgspec.json.decode(data_file("harmless_lines.json").read_bytes(), type=list[HarmlessLine]))
