"""Evidence as people read it: one line for what eight GPUs have in common, sizes in GiB, places by GPU number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.model.finding import Evidence
from gpudoctor.render import words

_ITEM = lazy_pattern(r"(?P<list>[\w.]{1,80})\[(?P<key>[^\]]{1,60})\]\.(?P<field>\w{1,60})\Z")
_GPU_LISTS = ("gpus.devices", "gpus.visible", "group.gpus")
_PAIR_LISTS = ("topology.pairs", "group.pairs")


class Line(Struct, frozen=True):
    """What is seen, what it is about, and where it comes from."""

    label: str
    text: str
    source: str
    fact: str = ""


def lines(evidence: Sequence[Evidence]) -> list[Line]:
    """The evidence in order; neighbours that are the same field of several items become one line."""
    found: list[Line] = []
    for field, items in groupby(evidence, key=_field):
        members = list(items)
        found += _merged(field, members) if field is not None and len(members) > 1 else map(_single, members)
    return found


def _field(item: Evidence) -> tuple[str, str] | None:
    """(list, field) of a fact of a list item without a label of its own."""
    match = None if item.label or item.text else _ITEM.match(item.fact)
    return (match["list"], match["field"]) if match else None


def _single(item: Evidence) -> Line:
    match = None if item.label else _ITEM.match(item.fact)
    label = _name(match["list"], match["field"], [match["key"]]) if match else words.label(item)
    source = item.source or (words.place(item) if item.label or item.fact else "")
    return Line(label, item.text or words.value(item), source, item.fact)


def _merged(field: tuple[str, str], members: list[Evidence]) -> Iterator[Line]:
    """One line for each run of equal values."""
    for (text, source), run in groupby(members, key=lambda item: (words.value(item), item.source)):
        same = list(run)
        keys = [match["key"] for item in same if (match := _ITEM.match(item.fact))]
        yield Line(_name(*field, keys), text, source, same[0].fact)


def _name(list_path: str, field: str, keys: list[str]) -> str:
    if list_path in _GPU_LISTS:
        return f"{field} of GPU {_ranges(keys)}"
    if list_path in _PAIR_LISTS:
        return f"{field} of {_several(keys)}"
    return f"{list_path}[{_several(keys)}].{field}"


def _several(keys: list[str], at_most: int = 4) -> str:
    return ", ".join(keys[:at_most]) + (f" and {len(keys) - at_most} more" if len(keys) > at_most else "")


def _ranges(keys: list[str]) -> str:
    """`0-3, 7` for numbers."""
    if not all(key.isdigit() for key in keys):
        return _several(keys)
    parts = []
    for _, run in groupby(enumerate(int(key) for key in keys), key=lambda entry: entry[1] - entry[0]):
        numbers = [number for _, number in run]
        parts.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}")
    return ", ".join(parts)
