"""One launch, judged, with what NCCL said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gpudoctor.model.smoke import SmokeBackend, SmokeTrial
from gpudoctor.smoke.judge import Judgement, judge
from gpudoctor.smoke.launch import Outcome, Progress, launch
from gpudoctor.smoke.measure import largest_busbw
from gpudoctor.smoke.plan import Plan

if TYPE_CHECKING:
    from gpudoctor.smoke.nccl_log import NcclLog

Result = Literal["passed", "failed"]


@dataclass(frozen=True)
class Attempt:
    """A launch that is over. `env` is what was set for it beyond what was asked for."""

    name: str
    env: dict[str, str]
    outcome: Outcome
    judgement: Judgement
    log: NcclLog
    backend: SmokeBackend

    @property
    def passed(self) -> bool:
        """Whether everything that it was asked to do was right."""
        return self.judgement.verdict == "pass"

    @property
    def world_size(self) -> int:
        """Ranks of the run."""
        return self.outcome.plan.members[0].world_size

    def trial(self, proves: str = "") -> SmokeTrial:
        """As the report lists it."""
        return SmokeTrial(
            name=self.name,
            env=self.env,
            verdict=self.judgement.verdict,
            phase=self.judgement.phase,
            seconds=round(self.outcome.seconds, 3),
            proves=proves if self.passed else "",
            transport=self.log.transport(),
            busbw_gbs=largest_busbw(self.outcome),
        )


def attempt(plan: Plan, name: str, env: dict[str, str], progress: Progress | None = None) -> Attempt:
    """Launch and judge."""
    outcome = launch(plan, progress)
    from gpudoctor.smoke.nccl_log import read_log

    outputs = [rank.output.decode("utf-8", "replace") for rank in outcome.ranks]
    return Attempt(
        name=name,
        env=env,
        outcome=outcome,
        judgement=judge(outcome),
        log=read_log(outputs, plan.members[0].world_size),
        backend=_backend(outcome),
    )


def _backend(outcome: Outcome) -> SmokeBackend:
    named = {event.backend for rank in outcome.ranks for event in rank.events if event.event == "facts"}
    return "nccl" if "nccl" in named else "gloo" if "gloo" in named else "none"
