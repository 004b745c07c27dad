"""Text that came from the machine, made safe to show and to paste: bounded, one line, no terminal control."""

from __future__ import annotations

import re
from typing import Final

from gpudoctor.lazy_pattern import lazy_pattern

MAX_SHOWN: Final = 300

# Patterns that few texts need are compiled for those: that takes 2 ms.
# Whole escape sequences first (CSI, OSC up to its end, two-character ones), so that "[31m" does not stay behind.
_ESCAPES: Final = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -~]?|\x9b[0-?]*[ -/]*[@-~]"
_SPACES: Final = r"[\t\n\x0b\x0c\r\x85\u2028\u2029]+"
# Other control characters, bidirectional overrides and isolates, invisible marks, and halves of surrogate pairs.
_CONTROL: Final = (
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff"
    r"\U000e0000-\U000e007f]"
)
_SUSPECT: Final = lazy_pattern(r"[^ -~\u00a0-\u0600\u2010-\u2027\u2190-\u22ff]")


def clean(text: str, limit: int = MAX_SHOWN) -> str:
    """`text` on one line, without control characters, at most `limit` characters long (with an ellipsis)."""
    if not (text.isascii() and text.isprintable()) and _SUSPECT.search(text):
        text = re.sub(_CONTROL, "", re.sub(_SPACES, " ", re.sub(_ESCAPES, "", text[: 8 * limit])))
    return text if len(text) <= limit else text[: limit - 1] + "…"
