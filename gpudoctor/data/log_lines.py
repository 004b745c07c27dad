"""What lines of logs state as facts: the table `log_lines.json`, one entry a pattern (form: logs/pattern.py)."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from gpudoctor.paths import data_file


class LogLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line that states something. Values are names of captures, `=constant`, or text with `{capture}` in it.

    Attributes:
        facts: fact path → value; the first line in time that states it counts.
        collect: path of a list in `log` → value to add.
        most: path → value; the greatest counts.
        count: path of a number in `log` that counts such lines.
        mark: path of a fact in `log` that such a line makes true.
        phase: how far the rank has come that wrote it.
    """

    name: str
    pattern: str
    unless: str = ""
    facts: dict[str, str] = {}
    collect: dict[str, str] = {}
    most: dict[str, str] = {}
    count: str = ""
    mark: str = ""
    phase: str = ""


@lru_cache(maxsize=1)
def log_lines() -> tuple[LogLine, ...]:
    """The table."""
    return tuple(msgspec.json.decode(data_file("log_lines.json").read_bytes(), type=list[LogLine]))
