"""Start the ranks, listen until all are done, one fails or one is silent for too long, then leave nothing behind."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gpudoctor.smoke import segments
from gpudoctor.smoke.guard import Guard
from gpudoctor.smoke.plan import Plan
from gpudoctor.smoke.rank import RankProcess, start

End = Literal["done", "failed", "hung", "not_started"]
Progress = Callable[[list[RankProcess], float], None]

_TICK_S = 0.1
_ECHO_S = 1.5  # after the first failure: time for the others to say what they saw
_ORPHANED_S = 0.3  # after which a segment that nobody uses is what a dead rank left
_STACK_S = 0.7  # for stacks to arrive


@dataclass
class Outcome:
    """How a launch ended. Times are seconds."""

    plan: Plan
    end: End
    ranks: list[RankProcess]
    seconds: float
    problem: str = ""  # why nothing was started


def launch(plan: Plan, progress: Progress | None = None) -> Outcome:
    """Run one launch to its end. Whatever ends it, no process of it is left."""
    begun = time.monotonic()
    run = _Run(plan, progress, begun)
    before = segments.listed()
    guard = Guard()
    try:
        try:
            for member in plan.members:
                rank = start(plan, member)
                guard.watch(rank.process.pid)
                run.add(rank)
        except OSError as error:
            problem = f"{plan.python} cannot be run: {error.strerror or error}"
            return Outcome(plan, "not_started", run.ranks, time.monotonic() - begun, problem)
        end = run.listen()
        return Outcome(plan, end, run.ranks, time.monotonic() - begun)
    finally:
        run.end()
        segments.sweep(before, _ORPHANED_S)
        guard.dismiss()


class _Run:
    def __init__(self, plan: Plan, progress: Progress | None, begun: float) -> None:
        self.plan = plan
        self.progress = progress
        self.begun = begun
        self.ranks: list[RankProcess] = []
        self.by_stream: dict[int, RankProcess] = {}
        self.poller = select.poll()

    def add(self, rank: RankProcess) -> None:
        self.ranks.append(rank)
        for stream in rank.streams():
            self.by_stream[stream] = rank
            self.poller.register(stream, select.POLLIN | select.POLLHUP)

    def listen(self) -> End:
        failed_at = 0.0
        while True:
            self._hear(_TICK_S)
            now = time.monotonic()
            if self.progress is not None:
                self.progress(self.ranks, now - self.begun)
            if all(rank.done for rank in self.ranks):
                self._hear_out()
                return "done"
            if not failed_at and any(self._failed(rank) for rank in self.ranks):
                failed_at = now
            if failed_at and (now - failed_at > _ECHO_S or all(rank.poll() for rank in self.ranks)):
                self._hear_out()
                return "failed"
            late = self.plan.limit_s and now - self.begun > self.plan.limit_s
            if not failed_at and (late or any(self._silent(rank, now) for rank in self.ranks)):
                self._stacks()
                return "hung"

    def _failed(self, rank: RankProcess) -> bool:
        """It said so, or it ended without having come to the end; or it has heard that one elsewhere did."""
        return (rank.poll() and not rank.done) or any(rank.first(word) is not None for word in ("error", "confessed"))

    def _silent(self, rank: RankProcess, now: float) -> bool:
        """Whether a rank has made no progress for too long; "still waiting for rank 3" is none."""
        if rank.done:
            return False
        return now - rank.moved > self.plan.timeout_s

    def _hear(self, wait_s: float) -> None:
        for stream, _ in self.poller.poll(wait_s * 1000):
            if not self.by_stream[stream].take(stream):
                self.poller.unregister(stream)
                del self.by_stream[stream]
        if not self.by_stream:
            time.sleep(0.01)

    def _hear_out(self) -> None:
        """What was written before the end and not yet read."""
        for _ in range(100):
            ready = self.poller.poll(0)
            if not ready:
                return
            self._hear(0)

    def _stacks(self) -> None:
        for rank in self.ranks:
            rank.ask_for_stack()
        deadline = time.monotonic() + _STACK_S
        while time.monotonic() < deadline:
            self._hear(0.05)

    def end(self) -> None:
        """Kill what is left, then wait for it."""
        for rank in self.ranks:
            rank.kill()
        for rank in self.ranks:
            rank.close()
