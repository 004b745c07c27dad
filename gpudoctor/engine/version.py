"""Versions as the field writes them: `2.18.3`, `550.54.15`, `2.9.1+cu128`, `0.11.0rc2`, `v0.6.3.post1`."""

from __future__ import annotations

import re
from typing import Final

Version = tuple[tuple[int, ...], int, int]

_FORM: Final = re.compile(
    r"[vV]?(?P<release>[0-9]{1,9}(?:\.[0-9]{1,9}){0,7})"
    r"(?:[-_.]?(?P<stage>dev|alpha|beta|post|rev|rc|pre|a|b|c)[-_.]?(?P<number>[0-9]{0,9}))?"
    r"(?:[-+.](?P<local>[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}))?"
)
_STAGES: Final = {
    "dev": -4,
    "a": -3,
    "alpha": -3,
    "b": -2,
    "beta": -2,
    "c": -1,
    "rc": -1,
    "pre": -1,
    "post": 1,
    "rev": 1,
}


def parse_version(text: str) -> Version | None:
    """A key that orders versions; None where the text is no version.

    Trailing zeros do not count (2.18 equals 2.18.0), nor does what follows `+` (the CUDA of a build). A wheel's
    `2.27.5-1` and a distribution's `535.183.01-0ubuntu1` are their release.
    """
    match = _FORM.fullmatch(text.strip()[:128])
    if match is None:
        return None
    release = [int(part) for part in match["release"].split(".")]
    while len(release) > 1 and not release[-1]:
        release.pop()
    stage = match["stage"]
    return tuple(release), _STAGES[stage] if stage else 0, int(match["number"] or 0)
