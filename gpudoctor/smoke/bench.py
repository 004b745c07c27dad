"""Launches after the first one, to find out why it failed: less work, a deadline each, a budget for all."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace

from gpudoctor.data.nccl_variables import table
from gpudoctor.model.smoke import SmokePair
from gpudoctor.smoke.attempt import Attempt, attempt
from gpudoctor.smoke.judge import step_of
from gpudoctor.smoke.launch import Progress
from gpudoctor.smoke.pairs import stuck_pair
from gpudoctor.smoke.plan import DTYPES, OPS, Plan, local_members

_LEAST_BYTES = 1 << 20
_LEAST_TIMEOUT_S = 10.0
_SLACK = 1.5  # times what the first launch took from its start to its last sign of life
_BYTES = re.compile(r"(?P<bytes>\d{1,15}) bytes")
_HARMLESS = ("NCCL_DEBUG", "NCCL_WARN_")  # change what is said, not what is done


class Bench:
    """Trials of a run that failed."""

    def __init__(self, first: Attempt, budget_s: float, progress: Progress | None = None) -> None:
        self.first = first
        self.attempts: list[Attempt] = []
        self.pairs: tuple[SmokePair, ...] = ()  # what the last search among them found
        self._plan = _reduced(first)
        self._ends = time.monotonic() + budget_s
        self._progress = progress
        self._timeout_s = _timeout(first)

    def left_s(self) -> float:
        """What is left of the budget."""
        return self._ends - time.monotonic()

    def launch(
        self, name: str, env: Mapping[str, str], *, without: tuple[str, ...] = (), plan: Plan | None = None
    ) -> Attempt | None:
        """One trial; None where the budget does not suffice.

        `without` are names of variables, or beginnings of names, that are taken out of the user's environment.
        """
        left = self.left_s()
        if left < min(self._timeout_s, 2.0):
            return None
        plan = plan or self._plan
        kept = {key: value for key, value in plan.environ.items() if not is_ncclish(key, without)}
        members = local_members(plan.members[0].world_size)
        timeout = min(self._timeout_s, left)
        changed = replace(plan, members=members, environ={**kept, **env}, timeout_s=timeout, limit_s=left)
        one = attempt(changed, name, dict(env), self._progress)
        self.attempts.append(one)
        # Ended by the budget and not by a hang: it tells nothing.
        return None if one.judgement.verdict == "hang" and self.left_s() <= 0 else one

    @property
    def plan(self) -> Plan:
        """What every trial does, if not told otherwise."""
        return self._plan


def is_ncclish(name: str, without: tuple[str, ...]) -> bool:
    """Whether a variable is one of those that are to be taken out.

    A name that NCCL does not read stays: images set NCCL_VERSION and the like for others.
    """
    meant = name in table().variables or name in without
    return meant and name.startswith(without) and not name.startswith(_HARMLESS)


def _timeout(first: Attempt) -> float:
    taken = max((rank.moved - rank.started for rank in first.outcome.ranks), default=0.0)
    return min(first.outcome.plan.timeout_s, max(_LEAST_TIMEOUT_S, _SLACK * taken))


def _reduced(first: Attempt) -> Plan:
    """The part of the run that failed, and what comes before it."""
    plan = replace(first.outcome.plan, layer=None, pairs=(), timed=False, peer=False)
    if first.passed:
        return replace(plan, dtypes=plan.dtypes[:1])
    stuck = stuck_pair(first)
    if stuck is None and first.judgement.verdict == "wrong_data":
        return _where_wrong(first, plan)
    if stuck is not None:
        return replace(plan, collectives=False, pairs=(stuck,))
    step = next((step for rank in first.outcome.ranks if not rank.done and (step := step_of(rank))), "")
    return _by_step(plan, step, timed=first.judgement.phase == "bandwidth")


def _where_wrong(first: Attempt, plan: Plan) -> Plan:
    told = [event for rank in first.outcome.ranks for event in rank.events if event.event == "wrong"]
    ours = [event for event in told if event.op in OPS]
    if told and not ours:  # only between two alone
        return replace(plan, collectives=False, pairs=first.outcome.plan.pairs)
    if not ours:
        return plan
    least = min(ours, key=lambda event: event.bytes)
    size = max(_LEAST_BYTES, least.bytes)
    return replace(plan, ops=(least.op,), dtypes=(least.dtype,), max_bytes=_at_most(size, plan))


def _by_step(plan: Plan, step: str, *, timed: bool) -> Plan:
    words = step.replace(",", " ").split()
    op = next((word for word in words if word in OPS), plan.ops[0])
    dtype = next((word for word in words if word in DTYPES), plan.dtypes[0])
    size = _BYTES.search(step)
    largest = max(_LEAST_BYTES, int(size["bytes"])) if size else _LEAST_BYTES
    return replace(plan, ops=(op,), dtypes=(dtype,), max_bytes=_at_most(largest, plan), timed=timed)


def _at_most(size: int, plan: Plan) -> int:
    return min(size, plan.max_bytes) if plan.max_bytes else size
