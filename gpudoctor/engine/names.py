"""What an expression may call its own: the names of `let`s and of bound items."""

from __future__ import annotations

from typing import Final

from gpudoctor.engine.catalogue import fields
from gpudoctor.engine.functions import FUNCTIONS
from gpudoctor.engine.problem import SpecError
from gpudoctor.model.facts import Facts

SEEN: Final = "seen"  # seen.name: the hits of a signature


def check_name(name: str, taken: set[str], column: int = -1) -> None:
    """Refuse a name that would hide another. Raises SpecError."""
    if not name.isidentifier() or not name.isascii() or name.startswith("_"):
        raise SpecError(f"{name!r} is no name", "letters, digits and _", column)
    if name in taken or name in FUNCTIONS or name in fields(Facts) or name == SEEN:
        raise SpecError(f"the name {name!r} is taken", "choose another", column)
