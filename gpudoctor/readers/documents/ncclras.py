"""The report of `ncclras`, or of `nc localhost 28028`: which ranks and processes NCCL's RAS network still reaches.

Group     Comms     Nodes     Ranks     Ranks     Ranks    Status  Errors
    #  in group  per comm  per node  per comm  in group
    0         1         4         8        32        32   RUNNING  MISMATCH
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct, field

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Collective, Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare

SOURCE = "ncclras"

_N, _S = r"(\d{1,9})", " {1,20}"
_RANGE = r"\d{1,7}(?:-\d{1,7})?"
_JOB = re.compile(rf"{_N}{_S}{_RANGE}{_S}{_RANGE}{_S}{_N}{_S}{_N}")
_GROUP = re.compile(rf"(?:\d{{1,7}}{_S}){{3}}{_RANGE}{_S}\d{{1,9}}{_S}{_N}{_S}[A-Z/]{{3,20}}{_S}([A-Z/]{{2,20}})")
_DEAD = re.compile(r"(\d{1,7}) job process(?:es)? (?:is|are) considered dead")
_MISSING = re.compile(r"Missing communicator data from (\d{1,9}) rank")
_LAUNCHED = re.compile(r"(\d{1,9}) ranks? ha(?:s|ve) launched up to (\w{1,20} )?operation (\d{1,15})")
_ABSENT = re.compile(r"The missing ranks?: {0,2}([\d, -]{1,400})")
_RANK = re.compile(r"Rank (\d{1,9}) -- ")
_NUMBER = re.compile(r"\d{1,9}")
_MAX_RANKS = 4096


class _Report(Struct):
    nodes: int | None = None
    ranks: int = 0
    dead: int = 0
    missing: int = 0
    mismatched: int = 0
    behind: set[int] = field(default_factory=set)
    behind_count: int = 0
    absent: set[int] = field(default_factory=set)
    _most: dict[str, int] = field(default_factory=dict)  # operations launched, by their kind
    _listed: str = ""  # which list of ranks follows

    def line(self, text: str) -> None:
        """One line."""
        if job := _JOB.fullmatch(text):
            self.nodes = int(job.group(1))
            self.ranks = max(self.ranks, int(job.group(3)))
        elif group := _GROUP.fullmatch(text):
            self.ranks = max(self.ranks, int(group.group(1)))
            self.mismatched += "MISMATCH" in group.group(2)
        elif dead := _DEAD.search(text):
            self.dead, self._listed = max(self.dead, int(dead.group(1))), ""
        elif missing := _MISSING.search(text):
            self.missing, self._listed = max(self.missing, int(missing.group(1))), "absent"
        elif launched := _LAUNCHED.search(text):
            self._launched(int(launched.group(1)), launched.group(2) or "", int(launched.group(3)))
        elif ranks := _ABSENT.match(text):
            self.absent.update(int(number) for number in _NUMBER.findall(ranks.group(1))[:_MAX_RANKS])
        elif rank := _RANK.match(text):
            self._rank(int(rank.group(1)))

    def _launched(self, ranks: int, kind: str, operation: int) -> None:
        """The report names the largest group first; those at a smaller number are behind."""
        if operation < self._most.get(kind, -1):
            self.behind_count += ranks
            self._listed = "behind"
        else:
            self._most[kind], self._listed = operation, ""

    def _rank(self, rank: int) -> None:
        into = self.behind if self._listed == "behind" else self.absent if self._listed == "absent" else None
        if into is not None and len(into) < _MAX_RANKS:
            into.add(rank)


def _begins(line: str) -> bool:
    text = bare(line)
    return (
        text in ("Job summary", "Communicators...") or text.startswith("Communicators... (") or bool(_DEAD.search(text))
    )


def _belongs(line: str, _taken: int) -> bool:
    return " NCCL INFO " not in line and " NCCL WARN " not in line and "INFO 0" not in line


def _read(lines: Sequence[str]) -> Facts:
    report = _Report()
    for line in lines:
        report.line(bare(line))
    if not (report.ranks or report.dead or report.missing or report.behind_count):
        return Facts()
    return Facts(
        collective=Collective(
            source=known(SOURCE, SOURCE),
            nodes=NOT_PROVIDED if report.nodes is None else known(report.nodes, SOURCE),
            ranks_expected=_some(report.ranks),
            ranks_missing=_ranks(report.absent),
            ranks_missing_count=known(report.missing, SOURCE),
            ranks_behind=_ranks(report.behind),
            ranks_behind_count=known(report.behind_count, SOURCE),
            dead_processes=known(report.dead, SOURCE),
            mismatched_communicators=known(report.mismatched, SOURCE),
        )
    )


def _some(count: int) -> Fact[int]:
    return known(count, SOURCE) if count else NOT_PROVIDED


def _ranks(ranks: set[int]) -> Fact[tuple[int, ...]]:
    return known(tuple(sorted(ranks)), SOURCE) if ranks else NOT_PROVIDED


DOCUMENT = Document(
    name=SOURCE,
    literals=("Job summary", "Communicators...", "considered dead", "Missing communicator data"),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=400,
)
