"""A compiled expression, and what its pieces are while it is compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from gpudoctor.engine.kinds import Kind
from gpudoctor.engine.values import Absent, Frame, Missing, Truth, Value, truth

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


class Expression(Struct, frozen=True):
    """A compiled expression: what it was written as, what it gives, and how."""

    text: str
    kind: Kind
    run: Run

    def truth(self, frame: Frame) -> Truth:
        """True, False or Unknown with the missing facts."""
        return truth(self.run(frame))
