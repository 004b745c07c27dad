"""Why a run failed, by launching it again without one thing at a time: as few launches as tell the causes apart.

A control comes first, with everything off that can be: where that fails too, the settings are not it. Narrow settings
come before broad ones, so that the first one that cures is the cause. A cure counts only where the same work was seen
to fail again: in another trial, or in a last one without any setting.
"""

from __future__ import annotations

from dataclasses import replace as changed

from msgspec.structs import replace

from gpudoctor.data.differential import Arm, Differential, Signs, differential
from gpudoctor.model.smoke import Part, SmokeDecision
from gpudoctor.smoke.attempt import Attempt
from gpudoctor.smoke.bench import Bench, is_ncclish
from gpudoctor.smoke.culprit import bad_hardware, bad_pairs
from gpudoctor.smoke.judge import step_of
from gpudoctor.smoke.pairs import failing_transport
from gpudoctor.smoke.texts import meaning_of

_ELIGIBLE_PHASES = ("cuda_init", "comm_init", "correctness", "bandwidth")
# A rank that was killed or stopped, or never came: no setting of NCCL would have saved it.
_NOT_NCCL = ("stopped", "absent", "signal", "too_few_devices", "no_cuda_build", "no_distributed", "no_backend", "shm")
_DIAGNOSTICS_SINCE = (2, 31)
_MOST_SETTINGS = 6  # of the user, taken out one by one


def why_not(first: Attempt) -> str:
    """Why trials could tell nothing about a run; "" where they could."""
    judgement = first.judgement
    if first.outcome.plan.joined:
        return "another launcher started the ranks; run nccl-test on one node to find out more"
    if first.backend != "nccl":
        return "there is no NCCL in this run whose settings could be tried"
    if judgement.phase not in _ELIGIBLE_PHASES or judgement.kind in _NOT_NCCL:
        return "what happened is nothing that a setting of NCCL decides"
    return ""


def separate(first: Attempt, bench: Bench) -> SmokeDecision:
    """Try settings until the cause is decided."""
    table = differential()
    meaning = meaning_of(first.judgement.text)
    if meaning is not None and meaning.cause in table.decided_by_words:
        return SmokeDecision(status="said", reason=f"the error itself says it: {meaning.title}")
    if first.judgement.phase == "cuda_init":
        return bad_hardware(bench, {})
    if _only_peers(first):
        proves = "direct access from GPU to GPU is what fails, also without NCCL"
        reason = (
            "NCCL's own traffic arrives; what one process reads or writes in the memory of the other's GPU does not"
        )
        return bad_pairs(bench, SmokeDecision(status="separated", part="p2p", proves=proves, reason=reason), ())
    return _Search(first, bench, table).decide(meaning.part if meaning is not None else "")


def _only_peers(first: Attempt) -> bool:
    """Whether nothing failed but looking into another GPU's memory, which goes past NCCL."""
    told = [event.op for rank in first.outcome.ranks for event in rank.events if event.event == "wrong"]
    at = [step_of(rank) for rank in first.outcome.ranks if not rank.done]
    if first.judgement.verdict == "wrong_data":
        return all(op.startswith("peer_") for op in told)
    return not told and any(" memory of " in step for step in at)


class _Search:
    def __init__(self, first: Attempt, bench: Bench, table: Differential) -> None:
        self.first = first
        self.bench = bench
        self.table = table
        self.failing = failing_transport(first)
        self.failed_again = False  # the reduced work was seen to fail
        self.diagnosed: Attempt | None = None

    def decide(self, said: str) -> SmokeDecision:
        if version_of(self.first) >= _DIAGNOSTICS_SINCE:
            self.diagnosed = self._try("NCCL's diagnostics", {"NCCL_RUN_DIAGNOSTICS": "1"})
        control = self.table.control
        first = self._try(control.name, control.env, control.without)
        if first is None:
            return _out_of_time()
        if not first.passed:
            return bad_hardware(self.bench, control.env, control.without)
        return self._arms(said)

    def _arms(self, said: str) -> SmokeDecision:
        for arm in self.order(said):
            one = self._try(arm.name, arm.env, arm.without)
            if one is None:
                return _out_of_time()
            if one.passed:
                return self._confirmed(arm)
        reason = "it passes with everything off, and with no single thing off: several fail together"
        return SmokeDecision(status="not_separated", reason=reason)

    def _try(self, name: str, env: dict[str, str], without: tuple[str, ...] = ()) -> Attempt | None:
        one = self.bench.launch(name, env, without=without)
        self.failed_again = self.failed_again or (one is not None and not one.passed)
        return one

    def _confirmed(self, arm: Arm) -> SmokeDecision:
        if not self.failed_again:
            again = self._try("again", {})
            if again is None:
                return _out_of_time()
            if again.passed:
                reason = (
                    "the failure did not come back when the run was repeated; nothing can be told from one that passes"
                )
                return SmokeDecision(status="not_reproduced", reason=reason)
        part: Part = arm.part  # type: ignore[assignment]  # the table is checked when it is read in the tests
        decision = SmokeDecision(
            status="separated",
            part=part,
            env=arm.env,
            proves=arm.proves,
            costs=arm.costs,
            reason=f"the run fails as it is, and passes with {_words(arm)}: {arm.proves}",
        )
        if part == "setting":
            return self._which_setting(decision)
        return bad_pairs(self.bench, decision, self._known_pairs()) if part == "p2p" else decision

    def _known_pairs(self) -> tuple[tuple[int, int], ...]:
        return self.diagnosed.log.diagnosed_pairs() if self.diagnosed is not None else ()

    def order(self, said: str) -> list[Arm]:
        """What to try: the table's row for what is known, without what this run does not use."""
        signs = Signs(
            said=said,
            diagnostics=self.diagnosed.log.diagnosed() if self.diagnosed is not None else "",
            stage=self.first.log.stage,
            transport=self.failing or self.first.log.transport() or "",
        )
        parts = [part for part in self.table.parts_for(signs) if part == said or self._in_use(part)]
        own = ["setting"] if settings_of(self.first) else []
        return [self.table.arm(part) for part in [*own, *parts]]

    def _in_use(self, part: str) -> bool:
        arm, log = self.table.arm(part), self.first.log
        if arm.since and version_of(self.first) < _numbers(arm.since):
            return False
        environ = self.first.outcome.plan.environ
        if arm.env and all(environ.get(name) == value for name, value in arm.env.items()):
            return False  # it is off already
        if part == "nvls":
            return log.nvls
        if part == "ib":
            return log.infiniband
        if part in ("p2p", "shm", "cumem_host"):
            family = "P2P" if part == "p2p" else "SHM"
            return self.failing.startswith(family) if self.failing else log.uses(family) or not log.channels
        return True

    def _which_setting(self, decision: SmokeDecision) -> SmokeDecision:
        names = settings_of(self.first)
        if len(names) > 1:
            for name in names[:_MOST_SETTINGS]:
                one = self.bench.launch(f"without {name}", {}, without=(name,))
                if one is not None and one.passed:
                    names = (name,)
                    break
        values = ", ".join(f"{name}={self.first.outcome.plan.environ[name]}" for name in names)
        reason = f"the run fails with {values}, and passes without"
        return replace(decision, settings=names, reason=reason)


def survey(first: Attempt, bench: Bench) -> SmokeDecision:
    """Every setting that this run uses, though it passes: what each of them costs."""
    table = differential()
    search = _Search(first, bench, table)
    for arm in (table.control, *search.order("")):
        bench.launch(arm.name, arm.env, without=arm.without, plan=changed(bench.plan, timed=True))
    return SmokeDecision(status="not_tried", reason="the run passes as it is; the trials show what each setting costs")


def proves(name: str) -> str:
    """What it proves that a run passes with the setting of this name."""
    return next((arm.proves for arm in (differential().control, *differential().arms) if arm.name == name), "")


def settings_of(first: Attempt) -> tuple[str, ...]:
    """Variables of NCCL that the user has set, but those that only make it talk."""
    return tuple(sorted(name for name in first.outcome.plan.environ if is_ncclish(name, ("NCCL_",))))


def version_of(first: Attempt) -> tuple[int, ...]:
    """NCCL's, as torch tells it; () where it does not."""
    told = (event.nccl for rank in first.outcome.ranks for event in rank.events if event.nccl)
    return _numbers(next(told, ""))


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:3]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _words(arm: Arm) -> str:
    return " ".join(f"{name}={value}" for name, value in arm.env.items()) or "no NCCL_* variable set"


def _out_of_time() -> SmokeDecision:
    return SmokeDecision(status="out_of_time", reason="the budget for finding out was spent; --budget gives more")
