"""The live line on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpudoctor.render.progress import Progress as ProgressLine


def progress_line(*, wanted: bool, verb: str = "probing") -> ProgressLine | None:
    """One, where that is a terminal. `verb` is what is done to what it names."""
    if not wanted or not sys.stderr.isatty():
        return None
    from gpudoctor.render.progress import Progress as Line

    return Line(sys.stderr, verb=verb)
