"""What lines state → facts, by the table `data/log_lines.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, get_args, get_type_hints

import msgspec

from gpudoctor.data.log_lines import LogLine, log_lines
from gpudoctor.model.fact import Fact, known
from gpudoctor.model.facts import Facts, Section
from gpudoctor.model.signature import Hit, Seen, Signature

PREFIX: Final = "line__"
_MAX_COLLECTED: Final = 64


@lru_cache(maxsize=1)
def line_signatures() -> tuple[Signature, ...]:
    """The table as signatures."""
    return tuple(Signature(PREFIX + line.name, line.pattern, "hint", line.unless) for line in log_lines())


def stated(seen: Seen) -> Facts:
    """Partial facts: what the lines say and nothing else."""
    values: dict[str, tuple[int, object, str]] = {}
    lists: dict[str, list[tuple[int, str]]] = {}
    counts: dict[str, int] = {}
    for line in log_lines():
        sighting = seen.get(PREFIX + line.name)
        if sighting is None:
            continue
        if line.count:
            counts[line.count] = counts.get(line.count, 0) + sighting.count
        if line.mark:
            values[line.mark] = (0, True, _source(sighting.hits[0]))
        for hit in sighting.hits:
            _note(line, hit, values, lists)
    found = {path: known(value, source) for path, (_, value, source) in values.items()}
    found |= {path: known(count, "log") for path, count in counts.items()}
    for path, entries in lists.items():
        found[path] = known(tuple(dict.fromkeys(text for _, text in sorted(entries)))[:_MAX_COLLECTED], "log")
    return facts_at(found)


def _note(
    line: LogLine,
    hit: Hit,
    values: dict[str, tuple[int, object, str]],
    lists: dict[str, list[tuple[int, str]]],
) -> None:
    for path, text in _values(line.facts, hit):
        value = _typed(path, text)
        if value is not None and (path not in values or hit.ordinal < values[path][0]):
            values[path] = (hit.ordinal, value, _source(hit))
    for path, text in _values(line.most, hit):
        value = _typed(path, text)
        if isinstance(value, int) and value > int(str(values.get(path, (0, -1))[1])):
            values[path] = (hit.ordinal, value, _source(hit))
    for path, text in _values(line.collect, hit):
        lists.setdefault(path, []).append((hit.ordinal, text))


def _values(wanted: Mapping[str, str], hit: Hit) -> Iterator[tuple[str, str]]:
    for path, value in wanted.items():
        if value.startswith("="):
            yield path, value[1:]
        elif "{" in value:
            yield path, value.format_map(_Captures(hit.captures))
        elif value in hit.captures:
            yield path, hit.captures[value]


class _Captures(dict[str, str]):
    """An optional group that took no part is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def _source(hit: Hit) -> str:
    return f"{hit.file}:{hit.line}"


@lru_cache(maxsize=256)
def _type_of(path: str) -> Any:  # noqa: ANN401 - a type
    section, _, name = path.partition(".")
    return get_args(get_type_hints(get_type_hints(Facts)[section])[name])[0]


def _typed(path: str, text: str) -> object | None:
    """The text as a value of the fact's type; None where it is none."""
    try:
        value: object = msgspec.convert(text, _type_of(path), strict=False)
    except msgspec.ValidationError:
        return None
    return value


def facts_at(found: Mapping[str, Fact[Any]]) -> Facts:
    """Facts with these values by path, everything else not provided."""
    tree: dict[str, dict[str, Fact[Any]]] = {}
    for path, fact in found.items():
        section, _, name = path.partition(".")
        tree.setdefault(section, {})[name] = fact
    empty = Facts()
    sections: dict[str, Section] = {
        name: msgspec.structs.replace(getattr(empty, name), **fields) for name, fields in tree.items()
    }
    return msgspec.structs.replace(empty, **sections)
