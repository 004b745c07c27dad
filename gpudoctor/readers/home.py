"""Paths as they may be shown: what lies below the home folder starts with `~`, and all of it is plain text."""

from __future__ import annotations

import re

# What may stand before a path in a list, an option or a sentence.
_BEFORE = r"(?<![^\s:;,=@'\"(\[<])"
_AFTER = r"(?=/|$|[\s:;,'\")\]>])"


def shown(text: str, home: str) -> str:
    """`text` with every path below `home` shortened, and bytes that are no text replaced.

    >>> shown("/home/ann/lib:/home/anna/lib", "/home/ann")
    '~/lib:/home/anna/lib'
    """
    plain = text.encode("utf-8", "replace").decode()
    home = home.rstrip("/")
    if not home.startswith("/"):
        return plain
    return re.sub(_BEFORE + re.escape(home) + _AFTER, "~", plain)
