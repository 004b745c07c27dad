"""Partial facts from several places → one `Facts`. The order in which they come does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import fields, replace

from gpudoctor.logs.gpu_lists import joined_lists
from gpudoctor.model.fact import Fact, known
from gpudoctor.model.facts import Facts, NvidiaSmi, Section
from gpudoctor.model.facts.root import DERIVED

# Lists that grow with every further piece of the same log; any other list is one observation and stays whole.
_GROWING: Final = frozenset({"kernel_log", "collective", "log"})
_MAX_JOINED: Final = 4096


class Part(Struct, frozen=True):
    """What one place says. What has more trust wins; then the place that comes first."""

    facts: Facts
    trust: int
    file: str
    line: int
    name: str = ""  # of the kind of document


def join(parts: Iterable[Part]) -> Facts:
    """Known beats absent; of two that are known the more trusted one wins."""
    ordered = sorted(parts, key=lambda part: (-part.trust, part.file, part.line, part.name))
    sections = {
        section.name: _section(section.name, [getattr(part.facts, section.name) for part in ordered])
        for section in fields(Facts)
        if section.name not in DERIVED
    }
    return replace(Facts(), **sections)


def _section(name: str, sections: Sequence[Section]) -> Section:
    empty: Section = getattr(Facts(), name)
    filled = [section for section in sections if section != empty]
    if not filled:
        return empty
    if len(filled) == 1:
        return filled[0]
    joined = {
        field.name: _fact([getattr(section, field.name) for section in filled], growing=name in _GROWING)
        for field in fields(type(empty))
    }
    if name == "nvidia_smi":
        joined |= joined_lists([section for section in filled if isinstance(section, NvidiaSmi)])
    return replace(empty, **joined)


def _fact(facts: Sequence[Fact[Any]], *, growing: bool) -> Fact[Any]:
    # What a program would do without an option counts last: a log may show what it did.
    known_facts = sorted((fact for fact in facts if fact.known), key=lambda fact: fact.source.startswith("default"))
    if not known_facts:
        told = [fact for fact in facts if fact.absent != "not_provided"]
        return (told or list(facts))[0]
    best = known_facts[0]
    values: list[Any] = [fact.or_none() for fact in known_facts]
    if len(values) > 1 and isinstance(best.value, dict):
        merged: dict[str, str] = {}
        for value in reversed(values):
            merged |= value
        return known(merged, best.source)
    if len(values) > 1 and growing and isinstance(best.value, tuple):
        return known(tuple(dict.fromkeys(item for value in values for item in value))[:_MAX_JOINED], best.source)
    return best


def stamped(facts: Facts, place: str) -> Facts:
    """The same facts, whose sources say in which file and line they stand."""
    empty = Facts()
    changed: dict[str, Section] = {}
    for section in fields(Facts):
        old: Section = getattr(facts, section.name)
        if old == getattr(empty, section.name):
            continue
        new = {
            field.name: replace(fact, source=f"{fact.source} ({place})" if fact.source else place)
            for field in fields(type(old))
            if (fact := getattr(old, field.name)).known
        }
        changed[section.name] = replace(old, **new)
    return replace(facts, **changed)
