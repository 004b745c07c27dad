"""A compiled piece of an expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from gpudoctor.engine.kinds import Kind
from gpudoctor.engine.values import Absent, Frame, Missing, Value

Run = Callable[[Frame], Value]
# What a comprehension goes through: (what leaves the row undecided, its value); None for rows that cannot be seen.
Rows = Callable[[Frame], Absent | Iterator[tuple[Missing, Value | None]]]


class Node(Struct, frozen=True):
    """A closure with its kind and its place in the text."""

    kind: Kind
    run: Run
    column: int
    constant: bool | int | float | str | None = None  # set where the value is written in the rule
    rows: Rows | None = None  # set for a comprehension
