"""Who wrote, how far each rank came, whose error was the first, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from gpudoctor.data.log_lines import log_lines
from gpudoctor.logs.clean import transport, worker
from gpudoctor.logs.order import nodes
from gpudoctor.logs.scan import Scanned
from gpudoctor.logs.stamps import seconds
from gpudoctor.logs.stated import PREFIX
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Log, RankDeath, RankPhase
from gpudoctor.model.signature import Hit, Seen

_MAX_RANKS: Final = 256
_MAX_LAST: Final = 300
_LAST_LINES: Final = 12
_NO_END: Final = frozenset(
    {"rendezvous", "comm_init", "init_complete", "weight_loading", "weights_loaded", "profiling", "graph_capture"}
)

_PROGRESS: Final = tuple(line.name for line in log_lines() if line.phase in ("running", "finished"))

_KILLED: Final = re.compile(r"\b(?:Killed|SIGKILL|SIGTERM|signal 9|Signal 9|exitcode: -9|exit code 137|OOMKilled)\b")
_INTERRUPTED: Final = re.compile(r"KeyboardInterrupt|\^C|SIGINT|Keyboard interrupt")
_ERROR: Final = re.compile(
    r"^[\w.]{0,80}(?:Error|Exception|Interrupt)\b|\bERROR\b|\bFATAL\b|\bNCCL WARN\b|terminate called|Aborted|"
    r"core dumped|Segmentation fault|Bus error|\berror:|\bfailed\b|panic:|panicked at|GGML_ASSERT|\bAssertion\b|"
    r"\b(?:CUDA|cuBLAS|cuDNN|CUBLAS) ?(?:runtime |driver )?[Ee]rror\b|\b[A-Z]\w{2,40}Error: |\bError: |"
    r"\[E\d{3,4} \d\d:|Watchdog caught|by watchdog"
)
_CLEAN: Final = re.compile(
    r"Application startup complete|Uvicorn running|ready to roll|[Cc]ompleted|[Ff]inished|Shutting down|"
    r"# Out of bounds values : 0 OK|Destroy COMPLETE|\bexit ?[=:] ?0\b|exit code 0\b|"
    r"Avg bus bandwidth|train_runtime|throughput|\b200 OK\b|\bloss\b|done\b"
)


def timeline(scanned: Sequence[Scanned], seen: Seen, log: Log) -> Log:
    """The facts about the log that follow from all of its hits together; `log` has what lines state."""
    phases = _phases(seen)
    deaths = _deaths(seen)
    tail = _tail(scanned)
    last = _last_phase(seen)
    ended = _ended(tail)
    counts = {
        name: fact if (fact := getattr(log, name)).known else known(0, "log")
        for name in (
            "nccl_init_started",
            "nccl_init_complete",
            "progress",
            "tracebacks",
            "watchdog_timeouts",
            "broadcast_waits",
        )
    }
    lists = {
        name: fact if (fact := getattr(log, name)).known else known((), "log")
        for name in ("frameworks", "packages", "nccl_versions", "transports", "networks", "interfaces")
    }
    said = log.said_hang if log.said_hang.known else known(value=False, source="log")
    waits = _last(seen, "broadcast_wait") > _last(seen, *_PROGRESS)
    hang = bool(said.or_none() or counts["watchdog_timeouts"].or_none() or waits) or (
        ended in {"nothing", "interrupted"} and last in _NO_END
    )
    return replace(
        log,
        **counts,
        **lists,
        lines=known(sum(one.lines for one in scanned), "log"),
        ranks=known(tuple(sorted(set().union(*(one.ranks for one in scanned))))[:1024], "log"),
        nodes=known(nodes(scanned)[:1024], "log"),
        phases=known(phases, "log"),
        last_phase=_text(last),
        first_errors=known(deaths, "log"),
        **_worked(seen),
        root_lines=known(sum(one.count for one in seen.values() if one.kind == "root"), "log"),
        error_lines=known(sum(_ERROR.search(line) is not None for line in tail), "log"),
        ended=known(ended, "log"),
        said_hang=said,
        hang=known(hang, "log"),
        silence_seconds=_silence(scanned),
        last_line=_text(tail[-1][:_MAX_LAST] if tail else ""),
    )


def _last(seen: Seen, *names: str) -> int:
    """The place of the last of these lines, -1 where there is none."""
    return max((seen[PREFIX + name].hits[-1].ordinal for name in names if PREFIX + name in seen), default=-1)


def _text(text: str) -> Fact[str]:
    return known(text, "log") if text else absent("not_provided", "the log does not say", "log")


def _phase_hits(seen: Seen) -> Iterator[tuple[int, str, Hit]]:
    for line in log_lines():
        sighting = seen.get(PREFIX + line.name)
        if line.phase and sighting is not None:
            for hit in sighting.hits:
                yield hit.ordinal, line.phase, hit


def _worked(seen: Seen) -> dict[str, Fact[int] | Fact[str]]:
    lines = [line for line in log_lines() if line.phase == "running" and line.count == "log.progress"]
    hits = [hit for line in lines if (one := seen.get(PREFIX + line.name)) is not None for hit in one.hits]
    if not hits:
        return {}
    last = max(hits, key=lambda hit: hit.ordinal)
    return {"worked_until": known(last.ordinal, "log"), "worked_in": known(last.file, "log")}


def _last_phase(seen: Seen) -> str:
    return max(((ordinal, phase) for ordinal, phase, _ in _phase_hits(seen)), default=(0, ""))[1]


def _phases(seen: Seen) -> tuple[RankPhase, ...]:
    last: dict[int, tuple[int, str, Hit]] = {}
    for ordinal, phase, hit in _phase_hits(seen):
        rank = hit.rank.or_none()
        if rank is not None and (rank not in last or ordinal >= last[rank][0]):
            last[rank] = (ordinal, phase, hit)
    return tuple(
        RankPhase(rank=rank, phase=phase, line=hit.line, file=hit.file)
        for rank, (_, phase, hit) in sorted(last.items())[:_MAX_RANKS]
    )


def _deaths(seen: Seen) -> tuple[RankDeath, ...]:
    """The first error of each rank, in order of time."""
    first: dict[int, tuple[int, bool, Hit]] = {}
    for sighting in seen.values():
        if sighting.kind not in ("root", "echo"):
            continue
        for hit in sighting.hits:
            rank = hit.rank.or_none()
            found = (hit.ordinal, sighting.kind == "echo", hit)
            if rank is not None and (rank not in first or found[:2] < first[rank][:2]):
                first[rank] = found
    ordered = sorted(first.items(), key=lambda entry: (entry[1][0], entry[0]))
    return tuple(
        RankDeath(rank=rank, line=hit.line, file=hit.file, text=hit.text, echo=echo)
        for rank, (_, echo, hit) in ordered[:_MAX_RANKS]
    )


def _tail(scanned: Sequence[Scanned]) -> list[str]:
    """The last lines of the files that are logs, the longest log last."""
    lines: list[str] = []
    for one in sorted(scanned, key=lambda one: (len(one.hits), one.lines, one.name)):
        own = [worker(transport(line.rstrip("\r")[-2000:])).text.strip() for line in one.tail.split("\n")[-200:]]
        lines += [line for line in own if line][-_LAST_LINES:]
    return lines[-_LAST_LINES:]


def _ended(tail: Sequence[str]) -> str:
    text = "\n".join(tail)
    if _INTERRUPTED.search(text):
        return "interrupted"
    if _KILLED.search(text):
        return "killed"
    if any(_ERROR.search(line) for line in tail):
        return "error"
    return "clean" if tail and any(_CLEAN.search(line) for line in tail[-4:]) else "nothing"


def _silence(scanned: Sequence[Scanned]) -> Fact[float]:
    """The longest gap between neighbouring lines at the end of a file."""
    gaps = []
    for one in scanned:
        times = [
            when for line in one.tail.split("\n")[-200:] if (when := seconds(transport(line[:400]).text)) is not None
        ]
        gaps += [later - earlier for earlier, later in pairwise(times) if later >= earlier]
    return known(max(gaps), "log") if gaps else absent("not_provided", "no time stamps at the end", "log")
