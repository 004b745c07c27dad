"""From how a launch ended to what happened: verdict, phase, and which rank is to blame."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from gpudoctor.model.smoke import PHASES, SmokePhase, SmokeRank, SmokeVerdict
from gpudoctor.smoke.elsewhere import standing_elsewhere
from gpudoctor.smoke.launch import Outcome
from gpudoctor.smoke.rank import Event, RankProcess

# What a rank says when another one is gone: never the cause.
_ECHO = re.compile(
    r"closed by (?:remote )?peer|reset by peer|broken pipe|recvvalue failed|sendbytes failed|connection was likely"
    r"|remote process exited|ncclremoteerror|socket (?:closed|timeout)|failed to recv|timed out waiting|abort",
    re.IGNORECASE,
)
_BETWEEN = (
    "world_size",
    "options_differ",
    "backend_differs",
    "duplicate_gpu",
)  # who of two that differ is wrong cannot be told
_ECHO_OF_ANOTHER = 2
_TAIL_CHARS = 1500
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<name>\S+)')
_PAIR = re.compile(r"pair (?P<a>\d{1,5})-(?P<b>\d{1,5})\b")
_MAX_FRAMES = 12
_HOME = str(Path.home())


@dataclass(frozen=True)
class Judgement:
    """What happened. `text` is the first rank's own words: its exception, or the end of what it printed."""

    verdict: SmokeVerdict
    phase: SmokePhase
    blamed: tuple[int, ...] = ()  # ranks; none where all did the same
    kind: str = (
        ""  # exception | signal | exit | stopped | behind | absent | together | pair | wrong | a kind of the worker's
    )
    text: str = ""
    signal_name: str = ""


def judge(outcome: Outcome) -> Judgement:
    """The verdict of one launch."""
    if outcome.end == "not_started":
        return Judgement("crash", "import", (), "not_started", outcome.problem)
    if outcome.end == "hung":
        return _hang(outcome)
    if outcome.end == "failed":
        return _crash(outcome)
    wrong = tuple(rank.member.rank for rank in outcome.ranks if rank.first("wrong") is not None)
    if wrong:
        return Judgement("wrong_data", "correctness", wrong if len(wrong) < len(outcome.ranks) else (), "wrong")
    return Judgement("pass", "done")


def phase_of(rank: RankProcess) -> SmokePhase:
    """The phase that a rank had entered last."""
    named = [event.phase for event in rank.events if event.event == "phase"]
    last = named[-1] if named else ""
    return next((phase for phase in PHASES if phase == last), "import")


def step_of(rank: RankProcess) -> str:
    """What it was about to do, within its phase."""
    for event in reversed(rank.events):
        if event.event == "phase":
            return ""
        if event.event == "step":
            return event.step
    return ""


def pair_at(rank: RankProcess) -> tuple[int, int] | None:
    """The pair that was tested alone when it stopped getting on; None where it was at something else."""
    match = _PAIR.match(step_of(rank))
    return (int(match["a"]), int(match["b"])) if match else None


def doing(ranks: list[RankProcess]) -> list[str]:
    """What goes on, in few words: where all are at the same, with the step; else who is where."""
    at: dict[str, list[int]] = {}
    for rank in ranks:
        if not rank.done:
            at.setdefault(phase_of(rank), []).append(rank.member.rank)
    if len(at) == 1:
        (phase,) = at
        step = next((step for rank in ranks if (step := step_of(rank))), "")
        return [f"{phase}: {step}" if step else phase]
    return [f"{phase} (rank {', '.join(map(str, numbers[:4]))})" for phase, numbers in at.items()]


def _progress(rank: RankProcess) -> tuple[int, int]:
    return PHASES.index(phase_of(rank)), sum(event.event == "step" for event in rank.events)


def _hang(outcome: Outcome) -> Judgement:
    waiting = [rank for rank in outcome.ranks if not rank.done]
    least = min(waiting, key=_progress)
    phase = phase_of(least)
    halted = [rank for rank in waiting if rank.stopped]
    if halted:
        return Judgement("hang", phase_of(halted[0]), _numbers(halted), "stopped")
    pair = next((pair for rank in waiting if (pair := pair_at(rank))), None)
    if pair is not None:
        return Judgement("hang", phase, pair, "pair")
    behind = [rank for rank in outcome.ranks if _progress(rank) == _progress(least)]
    if len(behind) < len(outcome.ranks):
        return Judgement("hang", phase, _numbers(behind), "behind")
    ours = {rank.member.rank for rank in outcome.ranks}
    missing = sorted({number for rank in waiting for number in waits_for(rank)} - ours)
    if missing:
        found = next((last.kind for rank in waiting if waits_for(rank) and (last := _last(rank))), "")
        return Judgement("hang", phase, tuple(missing), "absent", found)
    other = standing_elsewhere(outcome.ranks, waiting)
    if other is not None:
        return Judgement("hang", other.phase or phase_of(waiting[0]), other.ranks, other.kind)
    return Judgement("hang", phase, (), "together")


def _numbers(ranks: list[RankProcess]) -> tuple[int, ...]:
    return tuple(rank.member.rank for rank in ranks)


def waits_for(rank: RankProcess) -> tuple[int, ...]:
    """Whose arrival it was waiting for when it last said so."""
    last = _last(rank)
    return (last.rank,) if last is not None and last.event == "waiting" else ()


def _last(rank: RankProcess) -> Event | None:
    """Its last word about itself."""
    return next((event for event in reversed(rank.events) if event.event != "peer"), None)


def _crash(outcome: Outcome) -> Judgement:
    failed = [rank for rank in outcome.ranks if rank.first("error") or (rank.poll() and not rank.done)]
    if not failed:
        return _lost(next(rank for rank in outcome.ranks if rank.first("confessed") is not None))
    first = min(failed, key=lambda rank: (_echo_grade(rank), _progress(rank), rank.ended_at or rank.moved))
    error = first.first("error")
    if _echo_grade(first) == _ECHO_OF_ANOTHER and len(outcome.ranks) < first.member.world_size:
        return _lost(first)
    # Where all say the same, none is to blame alone: torch is missing for each of them.
    alike = [rank for rank in failed if said(rank) == said(first) and _echo_grade(rank) == _echo_grade(first)]
    blamed = () if len(alike) == len(outcome.ranks) > 1 else _numbers([first])
    if error is not None and error.kind in _BETWEEN:
        blamed = ()
    if error is not None:
        text = f"{error.type}: {error.text}"
        if error.kind == "first_reduce":
            return Judgement("wrong_data", phase_of(first), blamed, error.kind, text)
        return Judgement(
            "crash", phase_of(first), blamed, error.kind, text if error.kind == "exception" else error.text
        )
    name = signal_of(first)
    return Judgement("crash", phase_of(first), blamed, "signal" if name else "exit", tail(first), name)


def _lost(rank: RankProcess) -> Judgement:
    """A rank of another launcher is gone; it may have left word why."""
    word = rank.first("confessed")
    if word is not None and not (word.kind == "exception" and _ECHO.search(word.text)):
        return Judgement("crash", phase_of(rank), (word.rank,), word.kind, word.text)
    error = rank.first("error")
    return Judgement("crash", phase_of(rank), (), "lost", f"{error.type}: {error.text}" if error else "")


def said(rank: RankProcess) -> tuple[str, str]:
    """What ended it, without numbers that differ from rank to rank."""
    error = rank.first("error")
    return (error.type, re.sub(r"\d+", "", error.text)) if error else ("", signal_of(rank))


def _echo_grade(rank: RankProcess) -> int:
    """0: died of its own; 1: raised something of its own; 2: noticed that another was gone."""
    error = rank.first("error")
    if error is None:
        return 0
    return _ECHO_OF_ANOTHER if error.kind == "exception" and _ECHO.search(error.text) else 1


def signal_of(rank: RankProcess) -> str:
    """The signal that ended it, or ""."""
    if rank.exit_code is None or rank.exit_code >= 0:
        return ""
    try:
        return signal.Signals(-rank.exit_code).name
    except ValueError:
        return f"signal {-rank.exit_code}"


def tail(rank: RankProcess) -> str:
    """The end of what it printed."""
    return rank.output.decode("utf-8", "replace")[-_TAIL_CHARS:].strip()


def describe(rank: RankProcess, outcome: Outcome) -> SmokeRank:
    """A rank as the report shows it."""
    facts = [event for event in rank.events if event.event == "facts"]
    error = rank.first("error")
    return SmokeRank(
        rank=rank.member.rank,
        phase=phase_of(rank),
        step=step_of(rank),
        ended=_ended(rank, outcome),
        error=_error(error),
        device=next((event.device for event in facts if event.device), ""),
        gpu=next((event.gpu for event in facts if event.gpu), ""),
        waits_for=waits_for(rank),
        kernel=rank.kernel,
        stack=frames(rank.stack),
        seconds=round((rank.ended_at or rank.moved) - rank.started, 3),
    )


def _error(error: Event | None) -> str:
    return f"{error.type}: {error.text}"[:1000] if error is not None else ""


def _ended(rank: RankProcess, outcome: Outcome) -> str:
    if rank.done:
        return ""
    if rank.first("error") is not None:
        return "raised"
    name = signal_of(rank)
    if name:
        return f"was killed by {name}"
    if rank.exit_code is not None:
        return f"exited with status {rank.exit_code}"
    if rank.stopped:
        return "was stopped (state T)"
    return "hung" if outcome.end == "hung" else "was waiting for the others"


def frames(lines: list[str]) -> tuple[str, ...]:
    """The main thread's frames of a faulthandler dump, innermost first, with short file names."""
    out: list[str] = []
    for line in lines:
        if "most recent call first" in line:
            out = []  # threads are dumped newest first: the main thread is the last
        match = _FRAME.search(line)
        if match:
            out.append(f"{match['name']} ({_short(match['file'])}:{match['line']})")
    return tuple(out[:_MAX_FRAMES])


def _short(path: str) -> str:
    for mark in ("/site-packages/", "/gpudoctor_worker/"):
        if mark in path:
            return path.rpartition(mark)[2]
    return path.replace(_HOME, "~", 1) if path.startswith(_HOME + "/") else path
