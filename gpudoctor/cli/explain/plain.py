"""`gpudoctor explain NAME`, read without typer: loading that takes longer than the answer."""

from __future__ import annotations

from collections.abc import Sequence


def read(arguments: Sequence[str]) -> str | None:
    """The name that is asked for, None where typer has to say."""
    if len(arguments) != 2 or arguments[0] != "explain" or not arguments[1] or arguments[1].startswith("-"):
        return None
    return arguments[1]
