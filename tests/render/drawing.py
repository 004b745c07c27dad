"""Short ways to render in tests."""

from __future__ import annotations

import io
import re

from gpudoctor.model.report import Report
from gpudoctor.render import RenderOptions, renderer

SGR = re.compile(r"\x1b\[[0-9;]*m")


def draw(report: Report, format_name: str = "text", options: RenderOptions | None = None) -> str:
    out = io.StringIO()
    renderer(format_name).render(report, out, options or RenderOptions())
    return out.getvalue()


def unprintable(text: str) -> set[str]:
    """Characters that a terminal, editor or parser would act on."""
    return {char for char in text if not char.isprintable() and char != "\n"}
