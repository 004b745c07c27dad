"""Dumps of torch's flight recorder: what each rank last enqueued, started and completed.

Only the JSON form is read. Dumps are written as Python pickles, which can run code when they are loaded: they are
recognised, never opened. On the machine that wrote them, `python -m torch.distributed.flight_recorder.fr_trace` reads
them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, known
from gpudoctor.model.facts import Collective, Facts, RankProgress
from gpudoctor.readers.document import Document

SOURCE = "flight recorder"

_JSON = re.compile(r"\s{0,20}(?:\{|\"(?:pg_config|pg_status|entries)\"\s?:)")
_LAST = re.compile(r"\"last_(enqueued|started|completed)_collective\"\s{0,4}:\s{0,4}\"?(-?\d{1,15})")
_WORDS = ("collective_seq_id", "profiling_name", "pg_config", "pg_status")
_STATES = ("scheduled", "started", "completed")
_MAX_GROUPS = 64
_MAX_ENTRIES = 100_000
_MAX_BYTES = 64 << 20


class _Entry(Struct):
    collective_seq_id: int = -1
    profiling_name: str = ""
    state: str = ""
    process_group: list[Any] | str = ""
    pg_id: int = 0
    input_sizes: list[Any] = field(default_factory=list)
    is_p2p: bool = False


class _Status(Struct):
    last_enqueued_collective: int | None = None
    last_started_collective: int | None = None
    last_completed_collective: int | None = None


class _Dump(Struct):
    entries: list[_Entry] = field(default_factory=list)
    pg_status: dict[str, _Status] = field(default_factory=dict)
    pg_config: dict[str, Any] = field(default_factory=dict)
    nccl_comm_state: dict[str, Any] = field(default_factory=dict)
    rank: int | None = None


def _begins(line: str) -> bool:
    """One long line, or the first key of an indented dump; or the bytes of a pickle."""
    head = line[:1000]
    return _JSON.match(head) is not None or _is_pickle(head)


def _is_pickle(head: str) -> bool:
    return "\ufffd" in head or "\x80" in head or "q\x01" in head


def _belongs(line: str, _taken: int) -> bool:
    return line[:1] in ("", " ", "\t", "{", "}", "[", "]", '"')


def _read(lines: Sequence[str]) -> Facts:
    import msgspec

    text = "\n".join(lines).strip()[:_MAX_BYTES]
    if not _JSON.match(text[:1000]):
        return Facts(collective=Collective(source=known(SOURCE, SOURCE), pickled_dump=known(True, SOURCE)))
    if not text.startswith("{"):
        text = "{" + text
    try:
        dump = msgspec.json.decode(text.encode("utf-8", "replace"), type=_Dump, strict=False)
        progress = _progress(dump)
        expected = _expected(dump)
    except (msgspec.MsgspecError, RecursionError) as error:
        progress, expected = _of_a_cut_dump(text), NOT_PROVIDED
        if not progress:
            return Facts(collective=Collective(progress=absent("parse_error", str(error)[:200], SOURCE)))
    if not progress:
        return Facts()
    return Facts(
        collective=Collective(source=known(SOURCE, SOURCE), ranks_expected=expected, progress=known(progress, SOURCE))
    )


def _of_a_cut_dump(text: str) -> tuple[RankProgress, ...]:
    """The first group's counters; its entries may be cut anywhere."""
    found: dict[str, int] = {}
    for name, number in _LAST.findall(text[:100_000]):
        found.setdefault(name, int(number))
    if not found:
        return ()
    return (
        RankProgress(
            rank=-1,
            last_enqueued=_number(found.get("enqueued")),
            last_started=_number(found.get("started")),
            last_completed=_number(found.get("completed")),
        ),
    )


def _progress(dump: _Dump) -> tuple[RankProgress, ...]:
    rank = _rank(dump)
    entries = [entry for entry in dump.entries[:_MAX_ENTRIES] if not entry.is_p2p]
    groups = list(dict.fromkeys([*dump.pg_status, *(_group(entry) for entry in entries)]))[:_MAX_GROUPS]
    return tuple(_of_group(group, rank, dump, entries) for group in groups)


def _of_group(group: str, rank: int, dump: _Dump, entries: Sequence[_Entry]) -> RankProgress:
    own = [entry for entry in entries if _group(entry) == group]
    status = dump.pg_status.get(group, _Status())
    waiting = min(
        (entry for entry in own if entry.state != "completed" and entry.collective_seq_id >= 0),
        key=lambda entry: entry.collective_seq_id,
        default=None,
    )
    nothing: Fact[str] = absent("not_applicable", "every operation of the dump is done", SOURCE)
    return RankProgress(
        rank=rank,
        group=group[:40],
        last_enqueued=_number(status.last_enqueued_collective, max((e.collective_seq_id for e in own), default=None)),
        last_started=_number(status.last_started_collective),
        last_completed=_number(status.last_completed_collective, _last_completed(own)),
        pending=nothing if waiting is None else known(_name(waiting), SOURCE),
        pending_sizes=nothing if waiting is None else known(_sizes(waiting), SOURCE),
        pending_state=nothing if waiting is None else known(_state(waiting), SOURCE),
    )


def _last_completed(entries: Sequence[_Entry]) -> int | None:
    return max((entry.collective_seq_id for entry in entries if entry.state == "completed"), default=None)


def _group(entry: _Entry) -> str:
    """A list of number and description since 2.5, a number before."""
    if isinstance(entry.process_group, list) and entry.process_group:
        return str(entry.process_group[0])
    return str(entry.pg_id)


def _rank(dump: _Dump) -> int:
    if dump.rank is not None and 0 <= dump.rank < 1 << 31:
        return dump.rank
    for state in dump.nccl_comm_state.values():
        told = state.get("rank") if isinstance(state, dict) else None
        if isinstance(told, str) and told.isdigit() and len(told) < 9:
            return int(told)
    return -1


def _expected(dump: _Dump) -> Fact[int]:
    """The largest group's number of ranks, written as text: "[0, 1]"."""
    sizes: list[int] = []
    for config in dump.pg_config.values():
        ranks = config.get("ranks") if isinstance(config, dict) else None
        if isinstance(ranks, str) and ranks.startswith("["):
            sizes.append(ranks.count(",") + 1 if len(ranks) > 2 else 0)
    largest = max(sizes, default=0)
    return known(largest, SOURCE) if largest else NOT_PROVIDED


def _number(*candidates: int | None) -> Fact[int]:
    value = next((number for number in candidates if number is not None and -1 <= number < 1 << 53), None)
    return NOT_PROVIDED if value is None else known(value, SOURCE)


def _name(entry: _Entry) -> str:
    return entry.profiling_name.removeprefix("nccl:")[:80] or "unknown"


def _state(entry: _Entry) -> str:
    return entry.state if entry.state in _STATES else "unknown"


def _sizes(entry: _Entry) -> str:
    first = entry.input_sizes[0] if entry.input_sizes else []
    return "x".join(str(size) for size in first[:8])[:60] if isinstance(first, list) and first else "none"


DOCUMENT = Document(
    name="flight-recorder dump",
    literals=_WORDS,
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=100_000,
)
