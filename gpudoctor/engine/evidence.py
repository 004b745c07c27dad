"""Evidence falls out of the match: values know which fact they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, cast

from gpudoctor.engine.body import Shown
from gpudoctor.engine.clean import clean
from gpudoctor.engine.filters import shown
from gpudoctor.engine.kinds import is_hit
from gpudoctor.engine.values import Absent, Frame, Known, Many
from gpudoctor.model.finding import Evidence, Plain
from gpudoctor.model.signature import Hit

MAX_EVIDENCE: Final = 24  # of one finding
MAX_QUOTED: Final = 300  # characters of a line
_MAX_ITEMS: Final = 16  # of one list
_MAX_HITS: Final = 4
_SAID: Final = "log."  # an empty list of these is what a log does not say, and no fact of the machine
_KEY: Final = re.compile(r"\[[^\]]*\]")


def gather(items: Sequence[Shown], frame: Frame) -> tuple[Evidence, ...]:
    """The evidence that is there; what is absent proves nothing and is left out."""
    found: list[Evidence] = []
    for item in items:
        found += [evidence for evidence in _evidence(item, frame) if evidence not in found]
    return tuple(found[:MAX_EVIDENCE])


def _evidence(item: Shown, frame: Frame) -> Iterator[Evidence]:
    value = item.expression.run(frame)
    if isinstance(value, Absent):
        return
    if isinstance(value, Known):
        yield _one(value, item, item.label)
        return
    known = [entry for entry in value.values if isinstance(entry, Known)]
    if not known and value.path.startswith(_SAID):
        return
    hits = is_hit(item.expression.kind.element or item.expression.kind)
    if not hits and (item.label or value.path or any(not entry.path for entry in known)):
        yield _line(value, known, item)
        return
    for entry in known[: _MAX_HITS if hits else _MAX_ITEMS]:
        yield _one(entry, item, item.label if hits else "")


def _one(value: Known, item: Shown, label: str) -> Evidence:
    if is_hit(item.expression.kind.element or item.expression.kind):
        return _quoted(cast("Hit", value.value), label)
    return Evidence(
        fact=clean(value.path or item.expression.text),
        value=_plain(value.value),
        source=clean(value.source),
        label=label,
    )


def _quoted(hit: Hit, label: str) -> Evidence:
    """A line of a log, as it stands there."""
    rank = hit.rank.or_none()
    label = label or (f"rank {rank}" if rank is not None else "")
    return Evidence(file=clean(hit.file), line=hit.line, text=clean(hit.text, MAX_QUOTED), label=label)


def _line(value: Many, known: Sequence[Known], item: Shown) -> Evidence:
    plain = [_plain(entry.value) for entry in known[:_MAX_ITEMS]]
    whole = all(isinstance(entry, int) and not isinstance(entry, bool) for entry in plain)
    more = [f"… {len(known) - _MAX_ITEMS} more"] if len(known) > _MAX_ITEMS else []
    entries: Plain = cast("list[int]", plain) if whole and not more else [*(shown(entry) for entry in plain), *more]
    sources = dict.fromkeys(entry.source for entry in known if entry.source)
    return Evidence(
        fact=clean(value.path or _common_path(known) or item.expression.text),
        value=entries,
        source=clean(value.source or ", ".join(sources)),
        label=item.label,
    )


def _common_path(known: Sequence[Known]) -> str:
    """`gpus.devices[].name` for the names of several GPUs, "" where they are facts of different kinds."""
    paths = {_KEY.sub("[]", entry.path) for entry in known}
    return paths.pop() if len(paths) == 1 else ""


def _plain(value: object) -> Plain:
    if isinstance(value, (bool, int, float)):
        return value
    return clean(str(value))
