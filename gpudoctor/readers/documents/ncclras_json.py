"""`ncclras -f json` (NCCL 2.28.7 and newer): everything that RAS collected, ranks one by one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, known
from gpudoctor.model.facts import Collective, Facts
from gpudoctor.readers.document import Document

SOURCE = "ncclras"

_MAX_BYTES = 16 << 20
_MAX_RANKS = 4096


class _Status(Struct):
    considered_dead: bool = False


class _Rank(Struct):
    rank: int
    host: str = ""
    pid: int = 0
    collective_counts: dict[str, int] = field(default_factory=dict)
    status: _Status = field(default_factory=_Status)


class _Communicator(Struct):
    size: int = 0
    ranks: list[_Rank] = field(default_factory=list)
    missing_ranks: list[_Rank] = field(default_factory=list)


class _Report(Struct):
    communicators: list[_Communicator]


def _begins(line: str) -> bool:
    head = line[:200].lstrip()
    return head.startswith(("{", '"nccl_version"', '"communicators"'))


def _belongs(line: str, _taken: int) -> bool:
    return line[:1] in ("", " ", "\t", "{", "}", "[", "]", '"')


def _read(lines: Sequence[str]) -> Facts:
    import msgspec

    text = "\n".join(lines).strip()[:_MAX_BYTES]
    if not text.startswith("{"):
        text = "{" + text
    try:
        report = msgspec.json.decode(text.encode("utf-8", "replace"), type=_Report, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        return Facts(collective=Collective(ranks_behind=absent("parse_error", str(error)[:200], SOURCE)))
    return _facts(report)


def _facts(report: _Report) -> Facts:
    missing = {one.rank for group in report.communicators for one in group.missing_ranks}
    dead = {
        (one.host, one.pid)
        for group in report.communicators
        for one in group.missing_ranks
        if one.status.considered_dead
    }
    behind = [rank for group in report.communicators for rank in _behind(group)]
    largest = max((group.size for group in report.communicators), default=0)
    return Facts(
        collective=Collective(
            source=known(SOURCE, SOURCE),
            ranks_expected=known(largest, SOURCE) if 0 < largest < 1 << 31 else NOT_PROVIDED,
            ranks_missing=_ranks(missing),
            ranks_missing_count=known(len(missing), SOURCE),
            ranks_behind=_ranks(set(behind)),
            ranks_behind_count=known(len(set(behind)), SOURCE),
            dead_processes=known(len(dead), SOURCE),
            mismatched_communicators=known(sum(1 for group in report.communicators if _behind(group)), SOURCE),
        )
    )


def _behind(group: _Communicator) -> list[int]:
    """Ranks that launched fewer operations than another one of their communicator."""
    totals = {one.rank: sum(one.collective_counts.values()) for one in group.ranks}
    most = max(totals.values(), default=0)
    return [rank for rank, total in totals.items() if total < most]


def _ranks(ranks: set[int]) -> Fact[tuple[int, ...]]:
    kept = sorted(rank for rank in ranks if 0 <= rank < 1 << 31)[:_MAX_RANKS]
    return known(tuple(kept), SOURCE) if kept else NOT_PROVIDED


DOCUMENT = Document(
    name="ncclras -f json",
    literals=('"nccl_version"', '"missing_ranks_count"', '"communicators_count"'),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=100_000,
)
