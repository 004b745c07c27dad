"""Comparisons, logic and arithmetic over values that may be absent."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from gpudoctor.engine.catalogue import map_doubt
from gpudoctor.engine.node import Run
from gpudoctor.engine.values import (
    FALSE,
    NOTHING,
    TRUE,
    Absent,
    Frame,
    Known,
    Many,
    Value,
    absent,
    merged,
    truth_value,
)

Comparison = Callable[[object, object], bool]

COMPARISONS: Final[dict[str, Comparison]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    # Kinds are checked at load, so that the operands of an order are two numbers or two versions.
    "Lt": cast(Comparison, operator.lt),
    "LtE": cast(Comparison, operator.le),
    "Gt": cast(Comparison, operator.gt),
    "GtE": cast(Comparison, operator.ge),
}

# Any: the operands are int or float, which no protocol of the standard library describes.
ARITHMETIC: Final[dict[str, Callable[[Any, Any], object]]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
}


def comparison(compare: Comparison, left: Run, right: Run) -> Run:
    """`left < right`: false where either does not exist here, unknown where either is absent."""

    def run(frame: Frame) -> Value:
        a, b = left(frame), right(frame)
        if isinstance(a, Known) and isinstance(b, Known):
            return TRUE if compare(a.value, b.value) else FALSE
        return _undecided(a, b)

    return run


def _undecided(*operands: Value) -> Value:
    gone = merged(*operands)
    return FALSE if gone.not_applicable else gone


def membership(left: Run, right: Run, *, negated: bool) -> Run:
    """`x in list`, `'NAME' in map`: true when found; unknown when not found and some items cannot be seen."""

    def run(frame: Frame) -> Value:
        needle, hay = left(frame), right(frame)
        if isinstance(needle, Absent) or isinstance(hay, Absent):
            return _undecided(needle, hay)
        if isinstance(hay, Many):
            frame.spend(len(hay.values))
        found = _found(cast(Known, needle).value, hay)
        if isinstance(found, Absent):
            return found
        return TRUE if found != negated else FALSE

    return run


def _found(needle: object, hay: Value) -> bool | Absent:
    if isinstance(hay, Known):
        if needle in cast("dict[str, str]", hay.value):
            return True
        doubt = map_doubt(hay, str(needle))
        return Absent(doubt) if doubt else False
    missing = cast(Many, hay).undecided
    for item in cast(Many, hay).values:
        if isinstance(item, Known) and item.value == needle:
            return True
        if isinstance(item, Absent) and not item.not_applicable:
            missing |= item.missing
    return Absent(missing) if missing else False


def conjunction(parts: Sequence[Run]) -> Run:
    """`and`: false when any part is false, whatever the rest."""
    return _logic(parts, decisive=False)


def disjunction(parts: Sequence[Run]) -> Run:
    """`or`: true when any part is true, whatever the rest."""
    return _logic(parts, decisive=True)


def _logic(parts: Sequence[Run], *, decisive: bool) -> Run:
    def run(frame: Frame) -> Value:
        missing = NOTHING
        for part in parts:
            value = truth_value(part(frame))
            if isinstance(value, Absent):
                missing |= value.missing
            elif value.value is decisive:
                return value
        if missing:
            return Absent(missing)
        return FALSE if decisive else TRUE

    return run


def negation(part: Run) -> Run:
    """`not`: the opposite of what is decided."""

    def run(frame: Frame) -> Value:
        value = truth_value(part(frame))
        if isinstance(value, Absent):
            return value
        return FALSE if value.value else TRUE

    return run


def choice(condition: Run, then: Run, otherwise: Run) -> Run:
    """`then if condition else otherwise`: without an answer there is no value."""

    def run(frame: Frame) -> Value:
        value = truth_value(condition(frame))
        if isinstance(value, Absent):
            return value
        return then(frame) if value.value else otherwise(frame)

    return run


def arithmetic(name: str, left: Run, right: Run, text: str) -> Run:
    """`left + right` and so on. `text` names the operation where it divides by zero."""
    apply = ARITHMETIC[name]

    def run(frame: Frame) -> Value:
        a, b = left(frame), right(frame)
        if not (isinstance(a, Known) and isinstance(b, Known)):
            return merged(a, b)
        try:
            result = apply(a.value, b.value)
        except ZeroDivisionError:
            return absent(text, "division by zero")
        except OverflowError:
            return absent(text, "too large a number")
        if isinstance(result, float) and not math.isfinite(result):
            return absent(text, "too large a number")
        return Known(result)

    return run
