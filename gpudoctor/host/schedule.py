"""Run probes side by side, on time whatever they do, and say how each one ended."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from gpudoctor.host.access import Host
from gpudoctor.host.isolate import Child, Frame, start
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.probe_result import ProbeResult, ProbeStatus

_TICK_S = 0.05
# Longest time that one library call may take before it counts as hung: on a busy node some take seconds, and the first
# call into a driver that no persistence daemon keeps loaded initialises every GPU of the machine.
_STALL_S = 5.0
_FIRST_CALL_STALL_S = 20.0
_LEAST_STALL_S = 0.5
_MAX_ATTEMPTS = 100  # an attempt that crashes costs milliseconds; time ends the others

Progress = Callable[[Sequence[str], int, int, float], None]
Bring = Callable[[Probe, bytes], None]


class _Attempt(Struct):
    """Book-keeping of one probe: what was left out so far, and why."""

    number: int = 1
    skip: frozenset[str] = frozenset()
    troubles: list[str] = field(default_factory=list)
    timed_out: bool = False
    started: float = 0.0


def examine(
    host: Host,
    probes: Sequence[Probe],
    request: Request,
    *,
    timeout_s: float,
    bring: Bring,
    progress: Progress | None = None,
) -> tuple[ProbeResult, ...]:
    """Run every probe; never raises for what a probe does, and ends by `timeout_s` in any case.

    `bring` gets every section as soon as it is there, as msgpack. Returns how each probe ended.
    """
    run = _Run(host, request, timeout_s, progress, bring)
    skipped = [probe for probe in probes if request.quick and probe.slow]
    run.go([probe for probe in probes if probe not in skipped])
    for probe in skipped:
        run.results[probe.name] = ProbeResult(probe.name, "skipped", 0.0, "left out by --quick")
    return tuple(run.results[probe.name] for probe in probes)


def _joins(probe: Probe) -> bool:
    """Whether a probe that is otherwise alone shares a child with --quick."""
    return probe.harmless_when_quick or probe.last_when_quick


class _Run:
    """One examination in progress."""

    def __init__(self, host: Host, request: Request, timeout_s: float, progress: Progress | None, bring: Bring) -> None:
        self.host = host
        self.bring = bring
        self.progress = progress
        self.begun = time.monotonic()
        self.deadline = self.begun + timeout_s
        self.request = replace(request, deadline=self.deadline)
        self.stall_s = min(_STALL_S, timeout_s / 3)
        self.first_call_stall_s = min(_FIRST_CALL_STALL_S, timeout_s / 2)
        self.results: dict[str, ProbeResult] = {}
        self.attempts: dict[str, _Attempt] = {}
        self.children: dict[int, Child] = {}
        self.complete: set[str] = set()  # those whose section leaves nothing to ask
        self.waiting: list[Probe] = []  # for the probe that they stand in for
        self.poller = select.poll()

    def go(self, probes: Sequence[Probe]) -> None:
        """Start all, then listen until each has answered or run out of time."""
        total = len(probes)
        quick = self.request.quick
        names = {probe.name for probe in probes}
        self.waiting = [probe for probe in probes if quick and probe.stands_in_for in names]
        following = [probe for probe in probes if quick and probe.after in names]
        at_once = [probe for probe in probes if probe not in self.waiting and probe not in following]
        alone = [probe for probe in at_once if probe.isolated and not (quick and _joins(probe))]
        together = sorted((probe for probe in at_once if probe not in alone), key=lambda probe: probe.last_when_quick)
        groups = (
            *([probe] for probe in alone if probe.starts_first),
            [probe for probe in together if probe.asks_target],
            *([probe] for probe in alone if not probe.starts_first),
            [probe for probe in together if not probe.asks_target],
        )
        for group in groups:
            here = {probe.name for probe in group}
            self._start([*group, *(probe for probe in following if probe.after in here)])
        try:
            self._stand_in()  # for what could not even be started
            while self.children:
                self._listen()
                self._enforce()
                self._stand_in()
                if self.progress is not None:
                    running = [child.probes[0].name for child in self.children.values() if child.probes]
                    self.progress(running, len(self.results), total, time.monotonic() - self.begun)
        finally:
            for child in self.children.values():
                child.kill()

    def _stand_in(self) -> None:
        """Start those that waited for a probe which has ended, where it leaves something to ask."""
        for probe in [probe for probe in self.waiting if probe.stands_in_for in self.results]:
            self.waiting.remove(probe)
            if probe.stands_in_for in self.complete:
                reason = f"{probe.stands_in_for} has answered, and --quick asks once"
                self.results[probe.name] = ProbeResult(probe.name, "skipped", 0.0, reason)
            else:
                self._start([probe])

    def _start(self, probes: Sequence[Probe]) -> None:
        if not probes:
            return
        attempts = [self.attempts.setdefault(probe.name, _Attempt(started=time.monotonic())) for probe in probes]
        skip = frozenset().union(*(attempt.skip for attempt in attempts))
        try:
            child = start(probes, self.host, replace(self.request, skip_calls=skip))
        except OSError as error:  # no file or process is left for us; those that run already go on
            for probe in probes:
                reason = "; ".join((*self.attempts[probe.name].troubles, f"could not be started: {error.strerror}"))
                self.results[probe.name] = ProbeResult(probe.name, "failed", 0.0, reason)
            return
        self.children[child.pipe] = child
        self.poller.register(child.pipe, select.POLLIN | select.POLLHUP)

    def _listen(self) -> None:
        for pipe, _ in self.poller.poll(_TICK_S * 1000):
            child = self.children[pipe]
            frames, closed = child.read()
            for frame in frames:
                self._accept(child, frame)
            if closed:
                self._ended(child)

    def _accept(self, child: Child, frame: Frame) -> None:
        probe = child.probes.pop(0)
        child.probe_started = time.monotonic()
        attempt = self.attempts[probe.name]
        if not frame.error:
            self.bring(probe, frame.section)
            if frame.is_complete:
                self.complete.add(probe.name)
        troubles = [*attempt.troubles, frame.error] if frame.error else attempt.troubles
        status: ProbeStatus = "ok" if not troubles else "timeout" if attempt.timed_out and not frame.error else "failed"
        seconds = time.monotonic() - attempt.started if attempt.troubles else frame.seconds
        self.results[probe.name] = ProbeResult(probe.name, status, round(seconds, 3), "; ".join(troubles))

    def _enforce(self) -> None:
        now = time.monotonic()
        for child in list(self.children.values()):
            if not child.probes:  # it has said all; whatever still keeps it from ending is of no interest
                child.kill()
                self._remove(child)
                child.reap()
                continue
            call, age = child.marker.get()
            late = now >= self._end_of(child) or now - child.probe_started > child.probes[0].timeout_s
            if late or (call and age > self._patience(child.probes[0], call)):
                self._timed_out(child, call, now - child.probe_started)

    def _end_of(self, child: Child) -> float:
        """When its first probe has to be done: those that follow it, which it has nothing to do with, need time too."""
        first, *others = child.probes
        following = sum(probe.timeout_s for probe in others if probe.after == first.name)
        return self.deadline - min(following, (self.deadline - self.begun) / 4)

    def _patience(self, probe: Probe, call: str) -> float:
        """How long a call may take: half as long after each one of this probe that hung, or time would run out."""
        first = call.partition("@")[0] in probe.first_calls
        patience = self.first_call_stall_s if first else self.stall_s
        hung = len(self.attempts[probe.name].troubles)
        return max(_LEAST_STALL_S, patience * 0.5**hung)

    def _timed_out(self, child: Child, call: str, seconds: float) -> None:
        probe = child.probes[0]
        what = f"{call} did not return" if call else f"{probe.name} did not answer"
        stuck = child.kill()
        self._remove(child)
        child.reap()
        attempt = self.attempts[probe.name]
        attempt.timed_out = True
        self._again(child, call, f"{what} within {seconds:.1f} s{stuck}", "timeout")

    def _ended(self, child: Child) -> None:
        """The child closed its pipe: finished, or crashed in the middle of a probe."""
        self._remove(child)
        call, _ = child.marker.get()
        how = child.reap()
        if child.probes:
            where = f" in {call}" if call else ""
            self._again(child, call, f"the child {how or 'ended early'}{where}", "failed")

    def _again(self, child: Child, call: str, trouble: str, status: ProbeStatus) -> None:
        """Try the probe once more without the call that failed; go on with the child's other probes."""
        probe, rest = child.probes[0], child.probes[1:]
        attempt = self.attempts[probe.name]
        attempt.troubles.append(trouble)
        attempt.number += 1
        in_time = time.monotonic() < self.deadline and attempt.number <= _MAX_ATTEMPTS
        if probe.marker and call and call not in attempt.skip and in_time:
            attempt.skip |= {call}
            self._start([probe])
        else:
            seconds = round(time.monotonic() - attempt.started, 3)
            reason = "; ".join(attempt.troubles)
            self.results[probe.name] = ProbeResult(probe.name, status, seconds, reason)
        if rest and in_time:
            self._start(rest)
        elif rest:
            for left in rest:
                self.results[left.name] = ProbeResult(left.name, "timeout", 0.0, "no time was left for it")

    def _remove(self, child: Child) -> None:
        self.poller.unregister(child.pipe)
        del self.children[child.pipe]
