"""The contract: one valid document, keys in a stable order."""

from __future__ import annotations

from typing import TextIO

from gpudoctor.model.report import Report
from gpudoctor.render.json_text import json_text
from gpudoctor.render.options import RenderOptions

NAME = "json"


def render(report: Report, out: TextIO, options: RenderOptions) -> None:
    """Write the report; of the options only `unicode` counts: without it all beyond ASCII is escaped."""
    out.write(json_text(report, escape_all=not options.unicode))
