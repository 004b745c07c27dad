"""Functions over lists: any, all, count, sum, min, max, first, unique, sorted, joined.

Items that do not exist here (`not_applicable`) do not count; an item that is absent for another reason leaves the
result unknown, unless the others decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from gpudoctor.engine.node import Node, Rows, Run
from gpudoctor.engine.values import (
    FALSE,
    NOTHING,
    TRUE,
    Absent,
    Frame,
    Known,
    Many,
    Missing,
    Value,
    absent,
    truth_value,
)

EMPTY = absent("", "not_applicable (the list is empty)", not_applicable=True)


def rows_of_list(node: Node) -> Rows:
    """The rows of a list that is no comprehension."""

    def rows(frame: Frame) -> Absent | Iterator[tuple[Missing, Value | None]]:
        value = node.run(frame)
        return value if isinstance(value, Absent) else _list_rows(cast(Many, value))

    return rows


def _list_rows(many: Many) -> Iterator[tuple[Missing, Value | None]]:
    for value in many.values:
        yield NOTHING, value
    if many.undecided:
        yield many.undecided, None


def quantifier(rows: Rows, *, decisive: bool) -> Run:
    """`any` (decisive True) and `all` (decisive False) of conditions, three-valued."""

    def run(frame: Frame) -> Value:
        found = rows(frame)
        if isinstance(found, Absent):
            return truth_value(found)
        missing = NOTHING
        for doubt, value in found:
            verdict = Absent(doubt) if value is None else truth_value(value)
            if isinstance(verdict, Absent):
                missing |= doubt | verdict.missing
            elif verdict.value is decisive:
                if not doubt:
                    return verdict
                missing |= doubt
        if missing:
            return Absent(missing)
        return FALSE if decisive else TRUE

    return run


def count(items: Run) -> Run:
    """How many; of a text or map its length."""

    def run(frame: Frame) -> Value:
        value = items(frame)
        if isinstance(value, Many):
            return Absent(value.undecided) if value.undecided else Known(len(value.values))
        return Known(len(cast("dict[str, str] | str", value.value))) if isinstance(value, Known) else value

    return run


def first(items: Run) -> Run:
    """The first item that certainly belongs."""

    def run(frame: Frame) -> Value:
        value = items(frame)
        if isinstance(value, Absent):
            return value
        many = cast(Many, value)
        if many.values:
            return many.values[0]
        return Absent(many.undecided) if many.undecided else EMPTY

    return run


def item(items: Run, position: int) -> Run:
    """The item at a constant position; a list of which some items are undecided has no positions."""

    def run(frame: Frame) -> Value:
        value = items(frame)
        if isinstance(value, Absent):
            return value
        many = cast(Many, value)
        if many.undecided:
            return Absent(many.undecided)
        if -len(many.values) <= position < len(many.values):
            return many.values[position]
        return absent(many.path, f"not_applicable (no item {position})", not_applicable=True)

    return run


def known_items(items: Run, finish: Callable[[list[Known], Many], Value]) -> Run:
    """`finish` over the items, once it is certain which exist and what they are."""

    def run(frame: Frame) -> Value:
        value = items(frame)
        if isinstance(value, Absent):
            return value
        many = cast(Many, value)
        missing = many.undecided
        kept: list[Known] = []
        for entry in many.values:
            if isinstance(entry, Known):
                kept.append(entry)
            elif isinstance(entry, Absent) and not entry.not_applicable:
                missing |= entry.missing
        return Absent(missing) if missing else finish(kept, many)

    return run


def total(kept: list[Known], _: Many) -> Value:
    """`sum`: 0 for an empty list."""
    return Known(sum(cast("int | float", entry.value) for entry in kept))


def _order(entry: Any) -> Any:  # noqa: ANN401  numbers, texts or versions: of one kind, checked at load
    return entry.value


def smallest(kept: list[Known], _: Many) -> Value:
    """`min`, which keeps the fact it came from."""
    return min(kept, key=_order) if kept else EMPTY


def largest(kept: list[Known], _: Many) -> Value:
    """`max`, which keeps the fact it came from."""
    return max(kept, key=_order) if kept else EMPTY


def unique(kept: list[Known], many: Many) -> Value:
    """The first of each value, in order."""
    seen: dict[object, Known] = {}
    for entry in kept:
        seen.setdefault(entry.value, entry)
    return Many(tuple(seen.values()), path=many.path, source=many.source)


def ordered(kept: list[Known], many: Many) -> Value:
    """In ascending order."""
    return Many(tuple(sorted(kept, key=_order)), path=many.path, source=many.source)
