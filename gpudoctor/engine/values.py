"""What an expression evaluates to: a value that knows its fact, an absence that knows what is missing, or a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from gpudoctor.model.facts import Facts

# (fact path, reason in words), for instance ("gpus.devices[2].name", "timeout").
Missing = frozenset[tuple[str, str]]
NOTHING: Final[Missing] = frozenset()

MAX_STEPS: Final = 200_000


class EvaluationLimitError(Exception):
    """A rule looked at more items than any machine has."""


class Known(Struct, frozen=True):
    """A value. `path` and `source` say which fact it is; both empty for what was computed.

    A map may have names of which nobody knows whether they are in it: `undecided`, with the reason; "*" is any other.
    """

    value: object
    path: str = ""
    source: str = ""
    undecided: Mapping[str, str] | None = None


class Absent(Struct, frozen=True):
    """No value. As a condition this is "unknown", except that what does not exist here is false."""

    missing: Missing
    not_applicable: bool = False


class Many(Struct, frozen=True):
    """A list. `undecided` is not empty where some items may or may not belong to it."""

    values: tuple[Value, ...]
    undecided: Missing = NOTHING
    path: str = ""
    source: str = ""


Value = Known | Absent | Many

TRUE: Final = Known(value=True)
FALSE: Final = Known(value=False)


class Unknown(Struct, frozen=True):
    """The third truth value, with the facts that would decide."""

    missing: Missing


Truth = bool | Unknown


class Frame:
    """One evaluation of one rule: the facts, its `let` names (computed when first used) and the bound items."""

    __slots__ = ("_bound", "_done", "_lets", "_steps", "facts", "read", "seen")

    def __init__(
        self,
        facts: Facts,
        lets: Mapping[str, Callable[[Frame], Value]] | None = None,
        seen: Callable[[str], Value] | None = None,
        read: dict[str, Value] | None = None,
    ) -> None:
        self.facts = facts
        self.read = {} if read is None else read  # facts by path, of these very facts: frames may share it
        self.seen = seen  # hits by the name of a signature; None where no log was read
        self._lets = lets or {}
        self._done: dict[str, Value] = {}
        self._bound: dict[str, Value] = {}
        self._steps = 0

    def name(self, name: str) -> Value:
        """The value of a bound item or of a `let` name."""
        if name not in self._lets:
            return self._bound[name]
        value = self._done.get(name)
        if value is None:
            # A let binds items of its own, which may have the names of those that are bound where it is used.
            outer, self._bound = self._bound, {}
            value = self._done[name] = self._lets[name](self)
            self._bound = outer
        return value

    def bind(self, name: str, value: Value) -> None:
        """Bind an item of a comprehension."""
        self.spend(1)
        self._bound[name] = value

    def spend(self, items: int) -> None:
        """Count items that are looked at: nested loops over a hostile list must end."""
        self._steps += items
        if self._steps > MAX_STEPS:
            raise EvaluationLimitError(f"more than {MAX_STEPS} items")


def absent(path: str, reason: str, *, not_applicable: bool = False) -> Absent:
    """An absence of one thing."""
    return Absent(frozenset([(path, reason)]), not_applicable)


def merged(*values: Value) -> Absent:
    """The absence that follows from operands of which at least one is absent."""
    gone = [value for value in values if isinstance(value, Absent)]
    for value in gone:
        if value.not_applicable:
            return value
    return Absent(frozenset().union(*(value.missing for value in gone)))


def truth_value(value: Value) -> Known | Absent:
    """A value as a condition: TRUE, FALSE or an Absent that is never not_applicable."""
    if isinstance(value, Many):
        if value.values:
            return TRUE
        return Absent(value.undecided) if value.undecided else FALSE
    if isinstance(value, Absent):
        return FALSE if value.not_applicable else value
    return TRUE if value.value else FALSE


def truth(value: Value) -> Truth:
    """The public form of `truth_value`."""
    decided = truth_value(value)
    return Unknown(decided.missing) if isinstance(decided, Absent) else bool(decided.value)
