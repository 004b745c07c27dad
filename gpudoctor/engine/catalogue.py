"""The catalogue of fact paths: names, types and item keys, derived from the fact structs. There is no second list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, get_args, get_origin, get_type_hints

from msgspec import Struct

from gpudoctor.engine.kinds import BOOL, FLOAT, INT, MAP, STR, Kind, list_of
from gpudoctor.engine.values import NOTHING, Absent, Known, Many, Missing, Value, absent
from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts import Facts, Item, Section

_SCALARS: Final[dict[object, Kind]] = {bool: BOOL, int: INT, float: FLOAT, str: STR}

# `environment.variables` has `environment.variables_undecided` beside it: names of which nobody knows.
_GAPS: Final = "_undecided"

# By which plain fields an item is called, the first that it has; items without any are called by position.
_KEYS: Final = (("index",), ("pid",), ("a", "b"), ("bus_id",), ("path",), ("name", "port"), ("name",))


class FieldType(Struct, frozen=True):
    """A field of a section or item. A plain field is a key of its item and never absent."""

    kind: Kind
    plain: bool


class Entry(Struct, frozen=True):
    """A line of the catalogue, for documentation: `gpus.devices[].name`."""

    path: str
    kind: str
    plain: bool


@cache
def fields(struct: type[Struct]) -> dict[str, FieldType]:
    """The fields of a struct of facts with their kinds."""
    return {name: _field_type(hint) for name, hint in get_type_hints(struct).items()}


def _field_type(hint: object) -> FieldType:
    if get_origin(hint) is Fact:
        return FieldType(_kind(get_args(hint)[0]), plain=False)
    return FieldType(_kind(hint), plain=True)


def _kind(hint: object) -> Kind:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, Item):
        return Kind("item", struct=hint)
    if isinstance(hint, type) and issubclass(hint, Section):
        return Kind("section", struct=hint)
    if get_origin(hint) is tuple:
        return list_of(_kind(get_args(hint)[0]))
    if get_origin(hint) is dict:
        return MAP
    raise TypeError(f"no rule kind for the fact type {hint!r}")


@cache
def key_fields(struct: type) -> tuple[str, ...]:
    """The plain fields by which an item is called, () for its position."""
    # Not from `fields`: what their annotations mean takes much longer to find out than which of them is a fact.
    plain = {name for cls in struct.__mro__ for name, hint in _hints(cls).items() if get_origin(hint) is not Fact}
    return next((key for key in _KEYS if plain.issuperset(key)), ())


def _hints(cls: type) -> dict[str, object]:
    return getattr(cls, "__annotations__", {})


def item_path(path: str, item: object, position: int) -> str:
    """The path of an item in its list: `gpus.devices[2]`, `topology.pairs[0-1]`."""
    key = key_fields(type(item)) if isinstance(item, Struct) else ()
    name = "-".join(str(getattr(item, field)) for field in key) if key else str(position)
    return f"{path}[{name}]"


def fact_value(fact: Fact[object], kind: Kind, path: str) -> Value:
    """A fact as a value of the rule language."""
    if fact.absent is not None:
        return absent(path, fact.why(), not_applicable=fact.absent == "not_applicable")
    value = fact.value
    if kind.element is None or not isinstance(value, tuple):
        return Known(value, path, fact.source)
    if kind.element.name == "item":
        items = tuple(Known(item, item_path(path, item, i), fact.source) for i, item in enumerate(value))
    else:
        items = tuple(Known(item, path, fact.source) for item in value)
    return Many(items, path=path, source=fact.source)


def field_value(owner: object, name: str, field: FieldType, path: str, source: str) -> Value:
    """The value of a field of an item or section."""
    value = getattr(owner, name)
    if field.plain:
        return Known(value, path, source)
    found = fact_value(value, field.kind, path)
    if field.kind.name == "map" and isinstance(found, Known):
        gaps: Fact[dict[str, str]] = getattr(owner, f"{name}{_GAPS}", NOT_PROVIDED)
        return Known(found.value, path, found.source, gaps.or_none())
    return found


def map_value(mapping: Known, key: str) -> Value:
    """An entry of a map fact, `environment.variables[NCCL_DEBUG]`; not_applicable where there is none."""
    entries = mapping.value
    path = f"{mapping.path}[{key}]"
    if isinstance(entries, dict) and key in entries:
        return Known(entries[key], path, mapping.source)
    doubt = map_doubt(mapping, key)
    return Absent(doubt) if doubt else Absent(frozenset([(path, "not_applicable (not set)")]), not_applicable=True)


def map_doubt(mapping: Known, key: str) -> Missing:
    """What is missing to say whether a name that is not in a map is in it after all."""
    gaps = mapping.undecided or {}
    why = gaps.get(key) or gaps.get("*")
    return frozenset([(f"{mapping.path}[{key}]", f"not_provided ({why})")]) if why else NOTHING


def entries() -> Iterator[Entry]:
    """Every fact path there is."""
    for section, field in fields(Facts).items():
        if field.kind.struct is not None:
            yield from _entries(section, field.kind.struct)


def _entries(prefix: str, struct: type[Struct]) -> Iterator[Entry]:
    for name, field in fields(struct).items():
        path = f"{prefix}.{name}"
        yield Entry(path, str(field.kind), field.plain)
        element = field.kind.element
        if element is not None and element.struct is not None:
            yield from _entries(f"{path}[]", element.struct)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the closest of `known`, or lists them where they are few."""
    from difflib import get_close_matches

    names = sorted(known)
    close = get_close_matches(name, names, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(names) if len(names) <= 12 else ""
