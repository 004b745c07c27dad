"""`[element for item in list if condition]`: which rows are in, which are out, and which cannot be decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from msgspec import Struct

from gpudoctor.engine.catalogue import map_doubt
from gpudoctor.engine.node import Rows, Run
from gpudoctor.engine.values import NOTHING, Absent, Frame, Known, Many, Missing, Value, truth_value


class Loop(Struct, frozen=True):
    """One `for name in items if condition`."""

    name: str
    items: Run
    conditions: tuple[Run, ...]


def rows_of(loops: Sequence[Loop], element: Run) -> Rows:
    """A function that goes through the rows; the first list being absent makes the whole absent."""

    def rows(frame: Frame) -> Absent | Iterator[tuple[Missing, Value | None]]:
        first = loops[0].items(frame)
        if isinstance(first, Absent):
            return first
        return _rows(frame, first, loops, element, NOTHING)

    return rows


def _rows(
    frame: Frame, items: Value, loops: Sequence[Loop], element: Run, doubt: Missing
) -> Iterator[tuple[Missing, Value | None]]:
    loop, deeper = loops[0], loops[1:]
    for own, item in _items(items):
        if item is None:
            yield doubt | own, None
            continue
        frame.bind(loop.name, item)
        inside = _conditions(frame, loop)
        if inside is None:
            continue
        row = doubt | own | inside
        if not deeper:
            yield row, element(frame)
            continue
        below = deeper[0].items(frame)
        if not isinstance(below, Absent):
            yield from _rows(frame, below, deeper, element, row)
        elif not below.not_applicable:
            yield row | below.missing, None


def _items(value: Value) -> Iterator[tuple[Missing, Value | None]]:
    """Each item with what leaves it undecided whether it is one; None for those that cannot be seen."""
    if isinstance(value, Known):  # a map: its names
        for name in cast("dict[str, str]", value.value):
            yield NOTHING, Known(name, f"{value.path}[{name}]", value.source)
        for name in value.undecided or ():
            doubt = map_doubt(value, name)
            yield doubt, None if name == "*" else Known(name, f"{value.path}[{name}]", value.source)
        return
    many = cast(Many, value)
    for item in many.values:
        yield NOTHING, item
    if many.undecided:
        yield many.undecided, None


def _conditions(frame: Frame, loop: Loop) -> Missing | None:
    """None where the row is out, else what leaves it undecided."""
    doubt = NOTHING
    for condition in loop.conditions:
        value = truth_value(condition(frame))
        if isinstance(value, Absent):
            doubt |= value.missing
        elif not value.value:
            return None
    return doubt


def collected(rows: Rows) -> Run:
    """The list of the rows that are certain, and what is missing for the others."""

    def run(frame: Frame) -> Value:
        found = rows(frame)
        if isinstance(found, Absent):
            return found
        values: list[Value] = []
        undecided: set[tuple[str, str]] = set()
        for doubt, value in found:
            if doubt:
                undecided |= doubt
            elif value is not None:
                values.append(value)
        return Many(tuple(values), frozenset(undecided))

    return run
