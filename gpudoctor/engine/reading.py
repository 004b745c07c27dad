"""What an expression reads when it runs: facts, the fields of items, entries of maps, and its own names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpudoctor.engine.catalogue import FieldType, field_value, map_value
from gpudoctor.engine.node import Run
from gpudoctor.engine.values import Absent, Frame, Known, Many, Value, merged


def always(value: Value) -> Run:
    """A constant."""
    return lambda _: value


def bound(name: str) -> Run:
    """A name of the rule: a let, or what a comprehension goes through."""
    return lambda frame: frame.name(name)


def section_of(name: str) -> Run:
    """A section of the facts."""
    return lambda frame: Known(getattr(frame.facts, name), name)


def seen_of(name: str) -> Run:
    """The lines that a signature has found."""
    return lambda frame: frame.seen(name) if frame.seen else Many(())


def list_from(runs: Sequence[Run]) -> Run:
    """A list that is written out."""
    return lambda frame: Many(tuple(run(frame) for run in runs))


def fact_of(section: str, name: str, field: FieldType) -> Run:
    """A fact of a section. Many rules ask for the same few, so what was read once is kept in the frame."""
    path = f"{section}.{name}"

    def run(frame: Frame) -> Value:
        found = frame.read.get(path)
        if found is None:
            found = frame.read[path] = field_value(getattr(frame.facts, section), name, field, path, "")
        if isinstance(found, Many):
            frame.spend(len(found.values))
        return found

    return run


def field_of(owner: Run, name: str, field: FieldType) -> Run:
    """A field of an item."""

    def run(frame: Frame) -> Value:
        holder = owner(frame)
        if isinstance(holder, Absent):
            return holder
        if TYPE_CHECKING:
            assert isinstance(holder, Known)  # kinds are checked when the expression is compiled
        found = field_value(holder.value, name, field, f"{holder.path}.{name}", holder.source)
        if isinstance(found, Many):
            frame.spend(len(found.values))
        return found

    return run


def map_entry(owner: Run, name: Run) -> Run:
    """An entry of a map, by its name."""

    def run(frame: Frame) -> Value:
        mapping, key = owner(frame), name(frame)
        if not (isinstance(mapping, Known) and isinstance(key, Known)):
            return merged(mapping, key)
        return map_value(mapping, str(key.value))

    return run
