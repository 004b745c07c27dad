"""How to render, decided by the command line from its options and the stream."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

FailOn = Literal["error", "warning", "never"]
MIN_WIDTH = 40
MAX_WIDTH = 120  # beyond it the eye loses the line


class RenderOptions(Struct, frozen=True, kw_only=True):
    """Formats for machines ignore what does not concern them."""

    width: int = 80  # columns; commands are never wrapped
    color: bool = False
    verbose: bool = False
    unicode: bool = True  # false: the stream can show ASCII only
    fail_on: FailOn = "error"  # junit: from which severity on a finding is a failure
