"""What a smoke run is asked to do, and the environment that each rank gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gpudoctor.smoke.port import LOCALHOST, free_port

OPS = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "all_to_all")
DTYPES = ("fp32", "fp16", "bf16")
BACKENDS = ("auto", "nccl", "gloo")
# Set so that a hang is ours to judge and the log names the transport; what the user set himself stays.
_NCCL_LOG = {"NCCL_DEBUG": "INFO", "NCCL_DEBUG_SUBSYS": "INIT,ENV,NET,P2P,SHM"}
# Left over from another launcher these would send a rank of ours to a foreign store, or into another group.
_FOREIGN = ("TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT", "NCCL_COMM_ID", "NCCL_DEBUG_FILE")

_WORKER = Path(__file__).with_name("_target")  # a folder with a __main__.py


@dataclass(frozen=True)
class Member:
    """One rank's place in the run, as the environment of the worker says it."""

    rank: int
    local_rank: int
    world_size: int
    local_world_size: int
    address: str
    port: int


@dataclass(frozen=True)
class LayerShape:
    """The linear pair of a model's layer; `layers` is how many of them it has, None where that is not known."""

    hidden: int
    intermediate: int
    layers: int | None = None
    model: str = ""


@dataclass(frozen=True)
class Plan:
    """One launch.

    Attributes:
        python: the interpreter that runs the ranks.
        worker: the folder or file that it runs.
        members: the ranks to start here: all of them, or one under torchrun and its like.
        environ: the environment that the ranks start from.
        backend: one of BACKENDS.
        devices: for CUDA_VISIBLE_DEVICES, in PCI order; "" leaves what the environment says.
        choice: why these devices, where nobody asked for them; "" where somebody did or none are named.
        max_bytes: largest message; 0 lets the worker choose by backend and free memory.
        timeout_s: how long a rank may be silent before it is judged to hang.
        layer: the linear pair that is run besides, None where no shape was given.
        collectives: whether all ranks together do anything; without that only the pairs.
        timed: whether the collectives are timed.
        pairs: ranks to be tested alone, two by two.
        pairs_on_cpu: whether also without GPUs.
        peer: whether pairs also look into each other's GPU memory, without NCCL.
        limit_s: when the launch is ended though it makes progress; 0 for never.
        joined: started by another launcher, whose variables must reach the rank.
    """

    python: str
    members: tuple[Member, ...]
    environ: Mapping[str, str] = field(repr=False)
    worker: Path = _WORKER
    backend: str = "auto"
    devices: str = ""
    choice: str = ""
    ops: tuple[str, ...] = ("all_reduce",)
    dtypes: tuple[str, ...] = DTYPES
    max_bytes: int = 0
    timeout_s: float = 50.0
    layer: LayerShape | None = None
    collectives: bool = True
    timed: bool = True
    pairs: tuple[tuple[int, int], ...] = ()
    pairs_on_cpu: bool = False
    peer: bool = True
    limit_s: float = 0.0
    joined: bool = False

    def argv(self, pipe: int) -> list[str]:
        """The command of one rank, which writes its events to the descriptor `pipe`."""
        config = {
            "pipe": pipe,
            "backend": self.backend,
            "devices_asked": bool(self.devices) and not self.choice,
            "ops": self.ops,
            "dtypes": self.dtypes,
            "max_bytes": self.max_bytes,
            "timeout_s": self.timeout_s,
            "apart": self.joined,
            "collectives": self.collectives,
            "timed": self.timed,
            "pairs": self.pairs,
            "pairs_on_cpu": self.pairs_on_cpu,
            "peer": self.peer,
            "layer": (self.layer.hidden, self.layer.intermediate) if self.layer else None,
        }
        # -u: what a library prints is read even when the rank is killed. -B: nothing is left beside the sources.
        return [self.python, "-u", "-B", str(self.worker), json.dumps(config)]

    def environment(self, member: Member) -> dict[str, str]:
        """The standard variables of torch.distributed, over what the user has set."""
        env = {**_NCCL_LOG, **self.environ}
        if not self.joined:
            env = {name: value for name, value in env.items() if name not in _FOREIGN}
        env |= {
            "RANK": str(member.rank),
            "WORLD_SIZE": str(member.world_size),
            "LOCAL_RANK": str(member.local_rank),
            "LOCAL_WORLD_SIZE": str(member.local_world_size),
            "MASTER_ADDR": member.address,
            "MASTER_PORT": str(member.port),
        }
        if self.devices:
            env |= {"CUDA_VISIBLE_DEVICES": self.devices, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        return env


def local_members(world_size: int, port: int = 0) -> tuple[Member, ...]:
    """All ranks on this machine; port 0 takes one that is free now."""
    port = port or free_port()
    return tuple(Member(rank, rank, world_size, world_size, LOCALHOST, port) for rank in range(world_size))
