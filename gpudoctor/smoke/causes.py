"""From what happened to a finding: cause, how sure, why, evidence, fix."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gpudoctor.model.finding import Evidence, Finding
from gpudoctor.model.fingerprint import fingerprint
from gpudoctor.model.smoke import SmokeDecision, SmokeReport, SmokeWrong
from gpudoctor.smoke.fixes import fixes_for
from gpudoctor.smoke.hosts import (
    evidence_of_calls,
    far,
    fixes_of_calls,
    meaning_of_calls,
    meaning_of_master,
)
from gpudoctor.smoke.judge import Judgement
from gpudoctor.smoke.plan import Plan
from gpudoctor.smoke.texts import Meaning, limit_of, meaning_of

_WORKER_KINDS = {
    "world_size": Meaning("launch_mismatch", 0.97, "ranks were started with different world sizes"),
    "options_differ": Meaning("launch_mismatch", 0.9, "ranks were started with different options"),
    "backend_differs": Meaning("node_mismatch", 0.9, "some ranks see GPUs and others do not"),
    "too_few_devices": Meaning("tp_exceeds_gpus", 0.97, "more ranks on this machine than GPUs that torch can use"),
    "duplicate_gpu": Meaning("duplicate_gpu", 0.97, "two ranks were given one GPU"),
    "no_cuda_build": Meaning("framework_env", 0.97, "GPUs are asked for, and this torch is a build without CUDA"),
    "no_distributed": Meaning("framework_env", 0.97, "this torch is a build without torch.distributed"),
    "no_backend": Meaning("framework_env", 0.97, "this torch is a build without the communication library"),
    "shm": Meaning("shm_too_small", 0.97, "shared memory (/dev/shm) is full or too small"),
    "not_started": Meaning("framework_env", 0.97, "the target interpreter cannot be run"),
    "absent": Meaning("rendezvous", 0.7, "a rank never came: it was not started, or it cannot reach the master"),
    "lost": Meaning("collective_desync", 0.7, "the connection to another rank broke: it ended, or the network did"),
    "silent": Meaning("collective_desync", 0.85, "a rank on another host is silent: it stands still or is cut off"),
    "stopped": Meaning("collective_desync", 0.97, "a rank was stopped, and the others wait for it"),
}
# What the trials separated, where no rule says more of it.
_PARTS = {
    "gpu": Meaning("gpu_fault", 0.9, "the GPU of one rank fails, the others do not"),
    "pair": Meaning("gpu_fault", 0.4, "two GPUs fail with each other, whatever the settings"),
    "p2p": Meaning("p2p_broken", 0.9, "direct access from GPU to GPU fails, everything else works"),
    "shm": Meaning("shm_too_small", 0.9, "shared memory (/dev/shm) is what fails"),
    "ib": Meaning("rdma", 0.9, "InfiniBand or RoCE is what fails"),
    "interface": Meaning("network_interface", 0.9, "the network interface that NCCL picks is what fails"),
    **dict.fromkeys(("nvls", "cumem", "cumem_host", "setting"), Meaning("nccl_setting", 0.9, "a setting decides it")),
}
_KILLED_FOR_MEMORY = Meaning("host_ram", 0.97, "the kernel killed a rank because memory ran out")
_KILLED = Meaning("collective_desync", 0.9, "a rank was killed, and the others lost it")
_CRASH_SIGNALS = ("SIGSEGV", "SIGILL", "SIGABRT", "SIGFPE")


@dataclass(frozen=True)
class Surroundings:
    """What the machine says beside the ranks."""

    oom_kills: int = 0  # by the kernel, in our cgroup, while the run was on


def finding_of(report: SmokeReport, judgement: Judgement, plan: Plan, around: Surroundings) -> Finding | None:
    """The finding of a run that did not pass; None for one that did."""
    if report.verdict in ("pass", "slow"):
        return _far_finding(report, plan)
    network = _network(report, judgement)
    meaning = network or _weighed(_meaning(report, judgement, around), report.decision)
    blamed = judgement.blamed if judgement.kind == "absent" or not network else ()
    subject = ",".join(f"rank:{rank}" for rank in blamed) or "host"
    ident = f"nccl-test-{meaning.cause.replace('_', '-')}"
    return Finding(
        rank=1,
        id=ident,
        cause=meaning.cause,
        severity="error",
        confidence=meaning.confidence,
        title=meaning.title[0].upper() + meaning.title[1:],
        why=" ".join(filter(None, (_why(report, judgement), _tried(report)))),
        subject=subject,
        evidence=tuple(_evidence(report, judgement, around)),
        fixes=(fixes_of_calls(report) if network else ()) or fixes_for(meaning.fixes or meaning.cause, plan),
        verify=_verify(plan),
        echo_of=None,
        fingerprint=fingerprint(ident, subject),
    )


def _weighed(meaning: Meaning, decision: SmokeDecision | None) -> Meaning:
    """What the trials leave of it."""
    if decision is None:
        return meaning
    if decision.part in _PARTS:
        return _PARTS[decision.part]
    if decision.status == "control_failed":
        title = f"{meaning.title}, whatever the settings"
        return replace(meaning, confidence=min(meaning.confidence, 0.3), title=title)
    if decision.status in ("not_reproduced", "not_separated"):
        return replace(meaning, confidence=min(meaning.confidence, 0.4))
    return meaning


def _tried(report: SmokeReport) -> str:
    decision = report.decision
    if decision is None or len(report.trials) < 2:
        return ""
    return f"After {len(report.trials)} launches: {decision.reason}."


def _far_finding(report: SmokeReport, plan: Plan) -> Finding | None:
    """A run that passed between hosts that are far apart."""
    meaning = far(report)
    if meaning is None:
        return None
    return Finding(
        rank=1,
        id="nccl-test-hosts-far-apart",
        cause=meaning.cause,
        severity="warning",
        confidence=meaning.confidence,
        title=meaning.title[0].upper() + meaning.title[1:],
        why="Tensor parallelism waits for the others twice in each layer: each time it takes a round trip at least. "
        "Use pipeline parallelism between these hosts, or hosts in one network.",
        subject="host",
        evidence=tuple(evidence_of_calls(report)),
        fixes=fixes_for("far", plan),
        verify=_verify(plan),
        echo_of=None,
        fingerprint=fingerprint("nccl-test-hosts-far-apart", "host"),
    )


def _verify(plan: Plan) -> str:
    one = plan.members[0]
    size = one.world_size
    here = max(1, one.local_world_size)
    if plan.joined and size > here:
        return (
            f"torchrun --nnodes {size // here} --nproc-per-node {here} --master-addr {one.address} "
            "--node-rank RANK_OF_NODE --no-python gpudoctor nccl-test --worker"
        )
    return f"gpudoctor nccl-test --tp {size}" + (f" --devices {plan.devices}" if plan.devices else "")


def _meaning(report: SmokeReport, judgement: Judgement, around: Surroundings) -> Meaning:
    if judgement.kind in _WORKER_KINDS:
        limit = limit_of(judgement.text) if judgement.kind == "shm" else None
        return limit or _WORKER_KINDS[judgement.kind]
    if judgement.verdict == "wrong_data":
        return _wrong_data(report)
    if judgement.verdict == "hang":
        return _hang(report, judgement)
    if judgement.signal_name == "SIGKILL":
        return _KILLED_FOR_MEMORY if around.oom_kills else _KILLED
    return meaning_of(judgement.text) or _other_crash(report, judgement)


def _network(report: SmokeReport, judgement: Judgement) -> Meaning | None:
    """What the hosts found that called each other, where that explains the end of the run."""
    if judgement.kind == "absent":
        return meaning_of_master(judgement.text)
    if judgement.verdict in ("hang", "crash") and judgement.kind in (
        "together",
        "behind",
        "silent",
        "exception",
        "lost",
    ):
        return meaning_of_calls(report)
    return None


def _wrong_data(report: SmokeReport) -> Meaning:
    if report.backend == "nccl":
        return Meaning("p2p_broken", 0.6, "GPUs received wrong data")
    return Meaning("framework_bug", 0.4, "a result is wrong without any GPU in play: torch, its gloo or host memory")


def _hang(report: SmokeReport, judgement: Judgement) -> Meaning:
    if judgement.phase == "import":
        return Meaning("framework_env", 0.85, "importing torch does not come to an end")
    if judgement.phase == "cuda_init":
        return Meaning("gpu_fault", 0.5, "the first use of a GPU does not come to an end")
    if judgement.kind == "behind":
        return Meaning("collective_desync", 0.85, "a rank does not get on, and the others wait for it")
    if judgement.phase == "rendezvous":
        return Meaning("rendezvous", 0.85, "the ranks do not find each other")
    if report.backend == "nccl":
        return Meaning("p2p_broken", 0.5, "the GPUs do not exchange data")
    return Meaning("network_interface", 0.6, "the ranks do not exchange data over the chosen network")


def _signal(name: str) -> Meaning:
    if name == "SIGBUS":
        return Meaning("shm_too_small", 0.7, "a rank touched memory that could not be backed (SIGBUS)")
    if name in _CRASH_SIGNALS:
        return Meaning("framework_env", 0.6, f"a rank crashed in native code ({name})")
    return Meaning("collective_desync", 0.85, f"a rank was ended by {name}")


def _other_crash(report: SmokeReport, judgement: Judgement) -> Meaning:
    if judgement.kind == "signal":
        return _signal(judgement.signal_name)
    if judgement.phase == "import":
        return Meaning("framework_env", 0.9, "torch cannot be imported by the target interpreter")
    if judgement.phase == "rendezvous":
        return Meaning("rendezvous", 0.6, "the ranks could not find each other")
    if judgement.phase == "comm_init":
        cause = "nccl_setting" if report.backend == "nccl" else "network_interface"
        return Meaning(cause, 0.4, "the communicator could not be built")
    return Meaning("collective_desync", 0.7, "a rank raised an error, and the others lost it")


def _why(report: SmokeReport, judgement: Judgement) -> str:
    who = _who(judgement.blamed)
    phase = judgement.phase
    others = sum(rank.rank not in judgement.blamed for rank in report.ranks)
    sentences = {
        "not_started": judgement.text,
        "stopped": f"{who} stood still (state T) in {phase}; {others} other ranks waited.",
        "silent": f"{who} met the others and then fell silent, while the ranks here were in {phase}.",
        "behind": f"{who} did not get beyond {phase}; {others} other ranks were further and waited.",
        "absent": f"{who} was not heard of; the ranks here waited in {phase}.",
        "lost": f"{_here(report)} lost another rank in {phase}; what that one said is on its own launcher's stderr.",
        "together": _together(report, phase),
        "signal": f"{who} was ended by {judgement.signal_name} in {phase}.",
        "exit": f"{who} ended in {phase} without a word of its own.",
        "wrong": f"{len(report.wrong)} results held wrong elements; the run itself went to its end.",
    }
    said = judgement.text.partition("\n")[0][:200]
    return sentences.get(judgement.kind, f"{who} raised an error in {phase}: {said}")


def _together(report: SmokeReport, phase: str) -> str:
    if len(report.ranks) < report.world_size:
        return f"{_here(report)}, the only one that this launcher sees, entered {phase} and did not come out."
    return f"All {len(report.ranks)} ranks entered {phase} and none came out: nobody is missing, the data is."


def _here(report: SmokeReport) -> str:
    return _who(tuple(rank.rank for rank in report.ranks))


def _who(ranks: tuple[int, ...]) -> str:
    if not ranks:
        return "Every rank"
    return f"Rank {ranks[0]}" if len(ranks) == 1 else "Ranks " + ", ".join(map(str, ranks[:16]))


def _evidence(report: SmokeReport, judgement: Judgement, around: Surroundings) -> list[Evidence]:
    out = [Evidence(label="phase", value=judgement.phase, source="smoke")]
    if judgement.text:
        out.append(Evidence(label="what it said", text=judgement.text[:600], value=None, source="smoke"))
    if around.oom_kills:
        out.append(Evidence(label="processes killed for memory", value=around.oom_kills, source="memory.events"))
    out += evidence_of_calls(report)
    out += [_wrong_line(wrong) for wrong in report.wrong[:4]]
    if judgement.verdict == "hang":
        for rank in [one for one in report.ranks if not judgement.blamed or one.rank in judgement.blamed][:4]:
            where = rank.stack[0] if rank.stack else "no Python stack: it did not answer"
            kernel = f", kernel state {rank.kernel}" if rank.kernel else ""
            out.append(Evidence(label=f"rank {rank.rank}", value=f"in {where}{kernel}", source="smoke"))
    return out


def _wrong_line(wrong: SmokeWrong) -> Evidence:
    looks = {"zeros": "zeros", "stale": "what was there before the collective", "noise": "noise"}[wrong.kind]
    what = (wrong.op, wrong.dtype, wrong.variant)
    text = f"{wrong.count} of {wrong.elements} elements from offset {wrong.offset}, {looks}"
    return Evidence(
        label=f"rank {wrong.rank}, {' '.join(filter(None, what))} {wrong.bytes} bytes", value=text, source="smoke"
    )
