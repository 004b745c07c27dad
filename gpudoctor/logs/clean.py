"""A line of a log without what was put in front of it: by terminals, quoting, containers, launchers and workers.

Two steps. `transport` takes away what has nothing to do with the program (ANSI codes, quoting, the prefixes of
container runtimes, MPI and pagers); documents are read from that. `worker` also takes away the prefixes of workers
and of NCCL, and says which rank and node wrote the line. Lines are bounded before they come here.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

_ESCAPE: Final = re.compile(
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)?|[ -~])?|\x9b[0-?]{0,40}[@-~]"
)
_LOST_ESCAPE: Final = re.compile(r"\[(?:0|[0-9]{0,2};?[0-9]{1,2}(?:;[0-9]{1,3}){0,4})m")
_NUL: Final = re.compile(r"[\x00\ufeff\u200b]+")
_ISO: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"

# What is written before the program's own line. Each is tried where the one before it ended.
_TRANSPORT: Final = re.compile(
    rf"""
      (?P<quote>(?:>[ ]?)+)(?=\S)
    | (?P<cri>{_ISO})[ ](?:stdout|stderr)[ ][FP][ ]
    | (?P<docker>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{1,9}}(?:Z|[+-]\d\d:?\d\d))[ ](?=.)
    | \[pod/(?P<pod>[^\]\s]{{1,200}})\][ ]
    | (?P<compose>[A-Za-z0-9][\w.-]{{0,60}})[ ]{{1,40}}\|[ ](?!.{{0,400}}\|\s*$)
    | \[\d{{1,9}},(?P<mpi>\d{{1,7}})\](?:<std(?:out|err)>:|<std(?:out|err)>)[ ]?
    | \[(?P<default>default)(?P<local>\d{{1,5}})\]:[ ]?
    | (?P<srun>\d{{1,6}}):[ ](?=\S)
    """,
    re.VERBOSE,
)
_RANK_MARK: Final = re.compile(r"\[rank(?P<rank>\d{1,7})\]:[ ]?")
_SYSLOG: Final = re.compile(
    r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?P<carrier>[\w.-]{1,100}) [\w./@-]{1,60}(?:\[\d{1,9}\])?: "
)
_ACTOR: Final = re.compile(
    r"\((?:autoscaler|raylet)[^()]{0,60}\) ?"
    r"|\((?P<actor>[\w.:<>-]{1,80})?(?: rank=(?P<rank>\d{1,7}))?[ ,]{0,2}pid=\d{1,9}(?:, ip=(?P<ip>[\w.:-]{1,60}))?\) ?"
)
_NCCL: Final = re.compile(
    r"(?P<node>[\w.-]{1,100}):\d{1,9}:\d{1,9} \[(?P<device>\d{1,4}|-1)\] "
    r"(?:(?![\w./]{1,80}:\d+ NCCL )\S{1,40} )?(?=NCCL |[\w./]{1,80}:\d+ NCCL )"
)
_HOST: Final = re.compile(r"(?P<carrier>(?:worker|node|host|gpu|slave|master)[\w.-]{0,60}): (?=\S)")
_SGLANG: Final = re.compile(r"\[[^\]\[]{0,40}?(?: DP\d{1,5})?(?: PP\d{1,5})? TP(?P<rank>\d{1,5})(?: EP\d{1,5})?\] ")
_TP: Final = re.compile(r"TP(\d{1,5})")
_INSIDE: Final = re.compile(r"\[(?:[Rr]ank|RANK) ?(\d{1,7})\]")
_LOOK: Final = 240  # how far into a line a rank may stand


Naming = Literal["nccl", "ray", "carrier"]


class Line(Struct, frozen=True):
    """A cleaned line; a rank of -1 is not known.

    A machine may have three names: the one that NCCL prints, the address that Ray prints of those that are not its own,
    and what the carrier of the line (kubectl, syslog, pdsh) calls it.
    """

    text: str
    rank: int = -1
    node: str = ""  # by NCCL, else by Ray
    naming: Naming = "nccl"  # of the node
    carrier: str = ""
    stamp: str = ""  # of the container runtime or syslog


class Carried(Struct, frozen=True):
    """A line without what transports put before it."""

    text: str
    rank: int = -1
    carrier: str = ""
    stamp: str = ""


def transport(raw: str) -> Carried:
    """Take away what is not the program's."""
    text = raw
    if not text.isprintable():  # most lines are
        text = _NUL.sub("", _ESCAPE.sub("", text))
    if "0m" in text:  # colours whose escape character was lost on the way
        text = _LOST_ESCAPE.sub("", text)
    rank, carrier, stamp = -1, "", ""
    for _ in range(4):
        match = _TRANSPORT.match(text)
        if match is None:
            break
        text = text[match.end() :]
        stamp = match["cri"] or match["docker"] or stamp
        number = match["mpi"] or match["local"] or match["srun"]
        rank = int(number) if number else rank
        carrier = match["pod"] or carrier
    return Carried(text, rank, carrier, stamp)


def worker(carried: Carried) -> Line:
    """Take away what workers put before their lines, too."""
    text, rank, carrier, stamp = carried.text, carried.rank, carried.carrier, carried.stamp
    node = ""
    naming: Naming = "nccl"
    for _ in range(4):
        match = _prefix(text)
        if match is None:
            break
        text = text[match.end() :]
        found = match.groupdict()
        carrier = found.get("carrier") or carrier
        if found.get("node"):
            node, naming = found["node"] or "", "nccl"
        elif found.get("ip"):
            node, naming = found["ip"] or "", "ray"
        stamp = found.get("time") or stamp
        if "device" in found:  # of its node: a stand-in for the rank
            rank = int(found["device"] or -1) if rank < 0 else rank
        elif "rank" in found:
            rank = _actor_rank(match, rank)
    if rank < 0:
        rank = _inside(text)
    return Line(text, rank, node, naming, carrier, stamp)


def _prefix(text: str) -> re.Match[str] | None:
    """The prefix that the line begins with; its first character says which it can be."""
    first = text[:1]
    if first == "[":
        return _RANK_MARK.match(text)
    if first == "(":
        return _ACTOR.match(text)
    if "NCCL" in text and (match := _NCCL.match(text)) is not None:
        return match
    if first.isupper():
        return _SYSLOG.match(text)
    return _HOST.match(text)


def _actor_rank(match: re.Match[str], before: int) -> int:
    if match["rank"]:
        return int(match["rank"])
    place = _TP.search(match.groupdict().get("actor") or "")
    return int(place[1]) if place else before


def _inside(text: str) -> int:
    head = text[:_LOOK]
    match = _SGLANG.match(head) if head.startswith("[") else None
    if match is not None:
        return int(match["rank"])
    found = _INSIDE.search(head) if "ank" in head or "RANK" in head else None
    return int(found[1]) if found else -1
