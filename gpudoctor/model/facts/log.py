"""What logs state and show (raw, filled offline or by `--log`). What is exactly another fact is that one instead."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class RankPhase(Item, frozen=True, kw_only=True):
    """How far one rank came."""

    rank: int
    phase: str  # as `Log.last_phase`
    line: int
    file: str = ""


class RankDeath(Item, frozen=True, kw_only=True):
    """The first error of one rank."""

    rank: int
    line: int
    file: str = ""
    text: str
    echo: bool  # it only reports another one's


class RankStack(Item, frozen=True, kw_only=True):
    """Where the main thread of one process stood."""

    rank: int  # -1 where the dump does not say
    pid: int
    function: str  # the innermost
    place: str  # file:line
    waits_in: str  # the operation in which it waits for other ranks: "all_reduce"; "" where it does something else


class PeerTest(Item, frozen=True, kw_only=True):
    """What p2pBandwidthLatencyTest or nvbandwidth measured from one GPU to another, by the program's numbers."""

    a: int
    b: int
    direct_gbs: Fact[float] = NOT_PROVIDED  # with peer access, one direction
    staged_gbs: Fact[float] = NOT_PROVIDED  # without it
    latency_us: Fact[float] = NOT_PROVIDED  # of a small write with peer access


class Log(Section, frozen=True, kw_only=True):
    """All files together, in time order where they tell it.

    Everything here is absent `not_provided` where no log was given. With a log, lists are empty and counts are 0 where
    it says nothing; single values are absent.
    """

    lines: Fact[int] = NOT_PROVIDED
    frameworks: Fact[tuple[str, ...]] = NOT_PROVIDED  # vllm sglang tgi trtllm deepspeed ray ... in order of appearance
    packages: Fact[tuple[str, ...]] = NOT_PROVIDED  # how those are called on PyPI that are there
    engine_v1: Fact[bool] = NOT_PROVIDED  # of vLLM
    ranks: Fact[tuple[int, ...]] = NOT_PROVIDED  # that wrote something, at most 1024
    nodes: Fact[tuple[str, ...]] = NOT_PROVIDED  # names or addresses that wrote something, at most 1024
    world_size: Fact[int] = NOT_PROVIDED  # as the run stated it
    nccl_versions: Fact[tuple[str, ...]] = NOT_PROVIDED  # of the libraries that spoke; two: nodes differ
    transports: Fact[tuple[str, ...]] = NOT_PROVIDED  # P2P/IPC P2P/CUMEM SHM NET/Socket NET/IB ..., as NCCL writes them
    networks: Fact[tuple[str, ...]] = NOT_PROVIDED  # Socket IB ... that NCCL chose
    interfaces: Fact[tuple[str, ...]] = NOT_PROVIDED  # that NCCL or Gloo chose
    nccl_init_started: Fact[int] = NOT_PROVIDED  # lines "Init START"
    nccl_init_complete: Fact[int] = NOT_PROVIDED  # lines "Init COMPLETE"
    nccl_nranks: Fact[int] = NOT_PROVIDED  # of the largest communicator
    last_phase: Fact[str] = NOT_PROVIDED  # import rendezvous comm_init init_complete weight_loading profiling
    #                                       graph_capture ready running
    phases: Fact[tuple[RankPhase, ...]] = NOT_PROVIDED  # where ranks can be told apart
    first_errors: Fact[tuple[RankDeath, ...]] = NOT_PROVIDED  # in order: who died first is the first
    root_lines: Fact[int] = NOT_PROVIDED  # lines that name a cause: hits of signatures of kind root, of any rule
    progress: Fact[int] = NOT_PROVIDED  # lines that only a working run writes: steps, requests served
    worked_until: Fact[int] = NOT_PROVIDED  # the place (`Hit.ordinal`) of the last such line; what it outlived is over
    worked_in: Fact[str] = NOT_PROVIDED  # the file of that line
    tracebacks: Fact[int] = NOT_PROVIDED
    error_lines: Fact[int] = NOT_PROVIDED  # that a logger marks as an error, or that end a traceback
    ended: Fact[str] = NOT_PROVIDED  # error | killed | interrupted | clean | nothing: how the last lines look
    watchdog_timeouts: Fact[int] = NOT_PROVIDED  # "Watchdog caught collective operation timeout"
    broadcast_waits: Fact[int] = NOT_PROVIDED  # "No available shared memory broadcast block"
    said_hang: Fact[bool] = NOT_PROVIDED  # somebody wrote that it hangs, or stopped it by hand
    hang: Fact[bool] = NOT_PROVIDED  # one of these signs, or it just stops after a phase that is no end
    silence_seconds: Fact[float] = NOT_PROVIDED  # the longest gap between two time stamps
    stacks: Fact[tuple[RankStack, ...]] = NOT_PROVIDED  # of py-spy dumps
    peer_tests: Fact[tuple[PeerTest, ...]] = NOT_PROVIDED  # of pairs of different GPUs
    last_line: Fact[str] = NOT_PROVIDED
    weights_gib: Fact[float] = NOT_PROVIDED  # of one rank, as the engine printed after loading
    kv_cache_gib: Fact[float] = NOT_PROVIDED  # left for the cache after profiling; negative where nothing was
