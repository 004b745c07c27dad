"""Whether a stream gets colour and more than ASCII, by the conventions of no-color.org and force-color.org."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

ColorOption = Literal["auto", "always", "never"]


def color_wanted(environ: Mapping[str, str], isatty: bool, option: ColorOption) -> bool:
    """An option given on the command line wins; then NO_COLOR, FORCE_COLOR, TERM=dumb, and what the stream is.

    NO_COLOR and FORCE_COLOR count when set to anything but the empty string, and NO_COLOR wins over FORCE_COLOR.
    """
    if option != "auto":
        return option == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return isatty and environ.get("TERM", "") not in ("", "dumb")


def unicode_wanted(encoding: str | None) -> bool:
    """Whether a stream of this encoding can show bars, dashes and foreign names."""
    return (encoding or "").lower().replace("-", "").replace("_", "") in ("utf8", "utf16", "utf32", "utf8sig")
