"""What the smoke run found: the `smoke` key of a report. The JSON keys are a contract (docs/nccl-test.md)."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct, field

SmokeVerdict = Literal["pass", "slow", "wrong_data", "hang", "crash", "inconclusive"]
SmokePhase = Literal["import", "cuda_init", "rendezvous", "comm_init", "correctness", "bandwidth", "teardown", "done"]
SmokeBackend = Literal["nccl", "gloo", "none"]  # none: no rank came so far that one was chosen
PHASES: tuple[SmokePhase, ...] = get_args(SmokePhase)


class SmokeRank(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rank as it was when the verdict fell."""

    rank: int
    phase: SmokePhase  # the phase that it had entered
    step: str = ""  # what it was about to do within the phase
    ended: str = ""  # "" for a normal end, else how: "was killed by SIGKILL", "was stopped (state T)", "hung"
    error: str = ""  # the exception that ended it
    device: str = ""
    gpu: str = ""
    index: int | None = None  # of its GPU, as nvidia-smi counts; by NCCL's log, None where that does not say
    bus: str = ""  # its PCI address, 0000:47:00.0
    waits_for: tuple[int, ...] = ()  # ranks whose arrival it was waiting for
    kernel: str = ""  # state and wait channel in the kernel, where it hung
    stack: tuple[str, ...] = ()  # Python frames of its main thread, innermost first, where it hung
    seconds: float = 0.0  # since it was started, of its last sign of life


class SmokeSize(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message size of one collective. GB/s are 10^9 bytes; formulas as in nccl-tests."""

    op: str
    dtype: str
    bytes: int
    latency_us: float
    algbw_gbs: float
    busbw_gbs: float
    wrong: int  # elements, over all types and rounds of this size and collective


class SmokeWrong(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wrong elements in one result. `kind`: all zeros, all from before the collective (stale), or noise."""

    rank: int
    op: str
    dtype: str
    variant: str = ""  # of an all-reduce: "in place" or "out of place"
    bytes: int
    round: int = 0  # of the collectives; the layer has none
    offset: int  # first wrong element
    count: int
    elements: int
    kind: Literal["zeros", "stale", "noise"]


class SmokeLayerRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The linear pair at one number of tokens. The slowest rank's times."""

    kind: Literal["decode", "prefill"]
    tokens: int
    bytes: int  # of its all-reduce
    sharded_us: float  # over all ranks, with the all-reduce
    arithmetic_us: float  # a rank's share without the all-reduce
    whole_us: float  # the unsharded pair on one device
    communication_share: float  # of sharded_us, 0 to 1
    speedup: float  # whole_us / sharded_us


class SmokeLayer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column-parallel and a row-parallel linear layer at a model's shape, against the unsharded pair."""

    model: str = ""  # a row of the model table, or a folder; "" where the sizes were given
    hidden: int
    intermediate: int
    dtype: str = ""
    left_out: str = ""  # why it was not run
    runs: tuple[SmokeLayerRun, ...] = ()
    words: tuple[str, ...] = ()  # what it means for this TP size against one GPU


PeerCopy = Literal["verified", "wrong", "no_access", "failed", "not_tested"]


class SmokePair(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two ranks tested alone, a < b. GB/s are 10^9 bytes, of one large message.

    `peer_copy`: memory of each GPU read and written by the other's process through CUDA IPC; no_access: the driver
    grants none, which is normal for many cards. `inconclusive`: not tested, `note` says why.
    """

    a: int
    b: int
    verdict: SmokeVerdict
    phase: SmokePhase
    bytes: int = 0  # of the message that was timed; 0 where none was
    a_to_b_gbs: float | None = None
    b_to_a_gbs: float | None = None
    busbw_gbs: float | None = None  # all-reduce of the two
    peer_copy: PeerCopy = "not_tested"
    transport: str | None = None
    slow: bool = False  # against its siblings, or against what its link can do
    note: str = ""


CallEnd = Literal["ok", "refused", "no_route", "no_answer", "stalls", "loopback", "unknown", "name"]


class SmokeCall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One host called another before the communicator was built; `a` and `b` are the first rank of each.

    stalls: connected, but 64 KiB did not get through. loopback: the address leads every host to itself. unknown: the
    address that the backend would use is not known.
    """

    a: int
    b: int
    address: str
    ended: CallEnd
    round_trip_us: float | None = None


class SmokeTrial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One launch: the first is the run as asked for; others change one setting to tell causes apart."""

    name: str
    env: dict[str, str] = field(default_factory=dict)
    verdict: SmokeVerdict
    phase: SmokePhase
    seconds: float
    proves: str = ""  # what it proves that this launch passed; "" where it did not
    transport: str | None = None
    busbw_gbs: float | None = None  # all-reduce of the largest message, where it was timed


Part = Literal["", "setting", "nvls", "cumem", "p2p", "cumem_host", "shm", "ib", "interface", "gpu", "pair"]


class SmokeDecision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the trials say of a run that failed.

    status: said (the error's own words decide, nothing was tried) · separated (`part` is what fails) · control_failed
    (also with everything off: the settings are not it) · not_separated (no single setting cures) · not_reproduced (the
    failure did not come back) · out_of_time · not_tried.
    """

    status: Literal[
        "said", "separated", "control_failed", "not_separated", "not_reproduced", "out_of_time", "not_tried"
    ]
    part: Part = ""
    env: dict[str, str] = field(default_factory=dict)  # the settings with which the run passed
    settings: tuple[str, ...] = ()  # variables of the user without which it passed
    ranks: tuple[int, ...] = ()  # whose GPUs fail
    pairs: tuple[tuple[int, int], ...] = ()  # of ranks, that fail alone too
    proves: str = ""
    costs: str = ""  # what it would cost to leave the setting so: it is a test, not a cure
    reason: str = ""  # in a sentence


class SmokeSpeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bandwidth that decides whether the run was slow, and what it was compared with."""

    measured_gbs: float
    expected_gbs: float
    basis: Literal["siblings", "table"]
    what: str  # what was measured, in words
    link: str = ""
    source: str = ""  # of the table
    date: str = ""
    slow: bool = False


class SmokeReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The smoke run. `statement` says in words what was tested and what was not."""

    verdict: SmokeVerdict
    backend: SmokeBackend
    phase: SmokePhase
    statement: str
    world_size: int
    ranks: tuple[SmokeRank, ...]
    transport: str | None = None  # by NCCL's own log; None where it said nothing (always with gloo)
    interface: str = ""  # of its bootstrap, by the same log
    sizes: tuple[SmokeSize, ...] = ()
    wrong: tuple[SmokeWrong, ...] = ()
    pairs: tuple[SmokePair, ...] = ()
    trials: tuple[SmokeTrial, ...] = ()
    decision: SmokeDecision | None = None  # None where the run passed and nobody asked
    speed: SmokeSpeed | None = None  # None where there was nothing to compare with
    diagnostics: tuple[str, ...] = ()  # NCCL's own, 2.31 and newer, of a run that failed
    left_out: tuple[str, ...] = ()  # collectives that this torch does not have with this backend
    calls: tuple[SmokeCall, ...] = ()  # between hosts; none where there is only one
    layer: SmokeLayer | None = None  # where a model or its sizes were given
    torch: str = ""
    nccl: str = ""
    python: str = ""
