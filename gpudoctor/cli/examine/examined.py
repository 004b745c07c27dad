"""What an examination brings, piece by piece, and what becomes of it: facts, and how each probe ended."""

from __future__ import annotations

import time
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from gpudoctor.model.fact import Fact, Reason, absent
from gpudoctor.model.facts import Facts, Section, Workload
from gpudoctor.model.probe_result import ProbeResult, ProbeStatus
from gpudoctor.redact.hints import may_hold_secrets

S = TypeVar("S", bound=Struct)

# What follows for the facts of a probe that brought none.
_ABSENCE: dict[ProbeStatus, Reason] = {"timeout": "timeout", "skipped": "not_provided"}


class Piece(Struct, frozen=True, tag=True):
    """The section of one probe as msgpack: its types are looked at where it is used, not on its way there."""

    probe: str
    section: bytes


class End(Struct, frozen=True, tag=True):
    """The last that is said: how each probe ended, and the run that was examined for; or what became of it instead."""

    workload: Workload = Workload()
    results: tuple[ProbeResult, ...] = ()
    problem: str = ""


def without_secrets(end: End) -> End:
    """The same; what the machine said may stand in any reason."""
    return _masked(end) if may_hold_secrets(msgspec.msgpack.encode(end)) else end


class Examined(Struct, frozen=True):
    """Raw facts and how the probes that brought them ended."""

    facts: Facts
    probes: tuple[ProbeResult, ...]
    created_at: str


def now() -> str:
    """This moment as RFC 3339 in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Collected:
    """The pieces so far. A probe's name is that of its section in `Facts`."""

    def __init__(self) -> None:
        self._kinds: dict[str, type[Section]] = {field.name: type(field.default) for field in fields(Facts)}
        self._sections: dict[str, Section] = {}
        self._unreadable: dict[str, str] = {}

    def take(self, piece: Piece) -> None:
        """Read one; without what could be a secret."""
        try:
            section = msgspec.msgpack.decode(piece.section, type=self._kinds[piece.probe])
        except msgspec.MsgspecError as problem:
            self._unreadable[piece.probe] = f"sent a section that cannot be read: {problem}"
            return
        self._sections[piece.probe] = _masked(section) if may_hold_secrets(piece.section) else section

    def facts_of(self, end: End) -> Examined:
        """All of them together; what a probe should have brought and did not is absent with its reason."""
        results = tuple(map(self._judged, end.results))
        brought = {
            result.name: self._sections.get(result.name) or _missing(self._kinds[result.name], result)
            for result in results
        }
        return Examined(replace(Facts(workload=end.workload), **brought), results, now())

    def _judged(self, result: ProbeResult) -> ProbeResult:
        problem = self._unreadable.get(result.name)
        return replace(result, status="failed", reason=problem) if problem else result


def _missing(kind: type[Section], result: ProbeResult) -> Section:
    nothing: Fact[object] = absent(_ABSENCE.get(result.status, "failed"), result.reason, result.name)
    return replace(kind(), **{field.name: nothing for field in fields(kind)})


def _masked(holder: S) -> S:
    from gpudoctor.redact.masked import masked  # seldom needed

    return masked(holder)
