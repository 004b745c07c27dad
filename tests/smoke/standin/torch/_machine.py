"""The machine that is made up: a JSON file named by STANDIN_MACHINE."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """Something that breaks where a communicator uses it."""

    where: str  # p2p | cumem | cumem_host | shm | nvls | ib | interface | gpu | setting | all
    what: str = "hang"  # hang | wrong | error
    stage: str = "data"  # bootstrap | connect | data: when it shows
    pairs: tuple[str, ...] = ()  # p2p: of these GPUs only, "0-1"
    gpus: tuple[int, ...] = ()  # gpu: these
    name: str = ""  # interface: this one; setting: NAME=VALUE
    warn: str = ""  # error: NCCL's WARN line, "file.cc:1 text"
    result: int = 2  # error: ncclResult_t
    times: int = 0  # only in the first so many launches that meet it; 0: in all
    kind: str = "zeros"  # wrong: zeros | noise


class Machine(NamedTuple):
    """All defaults together are two healthy cards without NVLink on an AMD board."""

    torch: str = "2.9.1+cu128"
    cuda: str = "12.8"
    nccl: str = "2.27.5"
    gpus: int = 2
    name: str = "NVIDIA RTX A6000"
    free_bytes: int = 40 << 30
    cpu: str = "amd"  # amd | intel: decides how far P2P reaches
    link: str = "PHB"
    links: dict[str, str] = {}  # noqa: RUF012 - never changed; by pair, "0-1": NV4
    peer: bool = True  # whether the driver grants P2P
    no_peer: tuple[str, ...] = ()  # pairs for which it does not
    nvswitch: bool = False
    interfaces: tuple[str, ...] = ("lo", "eth0", "docker0")
    infiniband: tuple[str, ...] = ()
    bandwidth: dict[str, float] = {}  # noqa: RUF012 - GB/s by transport, over those below
    pair_bandwidth: dict[str, float] = {}  # noqa: RUF012 - by pair and transport, "2-3 P2P": 3.0
    faults: tuple[Fault, ...] = ()

    def pair(self, a: int, b: int) -> str:
        """How a pair of GPUs is called."""
        return f"{min(a, b)}-{max(a, b)}"

    def link_of(self, a: int, b: int) -> str:
        """The link between two GPUs as `nvidia-smi topo -m` prints it."""
        return self.links.get(self.pair(a, b), self.link)

    def may_peer(self, a: int, b: int) -> bool:
        """Whether the driver grants P2P."""
        return self.peer and self.pair(a, b) not in self.no_peer

    def gb_per_s(self, a: int, b: int, transport: str) -> float:
        """Of one direction of one pair."""
        family = transport.partition("/")[0]
        usual = {"P2P": 25.0, "SHM": 12.0, "NET": 1.1, "NVLS": 400.0, **self.bandwidth}[family]
        return self.pair_bandwidth.get(f"{self.pair(a, b)} {family}", usual)

    @property
    def version(self) -> tuple[int, ...]:
        """NCCL's."""
        return tuple(int(part) for part in self.nccl.split("."))


def _load() -> Machine:
    raw: dict[str, Any] = json.loads(Path(os.environ["STANDIN_MACHINE"]).read_text(encoding="utf-8"))
    for key in ("interfaces", "infiniband", "no_peer"):
        if key in raw:
            raw[key] = tuple(raw[key])
    lists = ("pairs", "gpus")
    faults: list[dict[str, Any]] = raw.pop("faults", [])
    for fault in faults:
        fault.update({key: tuple(value) for key, value in fault.items() if key in lists})
    return Machine(**raw, faults=tuple(Fault(**fault) for fault in faults))


MACHINE = _load()


def happens(fault: Fault) -> bool:
    """Whether a fault that goes away after some launches still acts; the port is new for each launch."""
    if not fault.times:
        return True
    met = Path(os.environ["STANDIN_MACHINE"]).with_suffix(".met")
    met.mkdir(exist_ok=True)
    (met / os.environ["MASTER_PORT"]).touch()
    return len(list(met.iterdir())) <= fault.times


def visible() -> list[int]:
    """The GPUs that this process sees."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return list(range(MACHINE.gpus))
    seen = []
    for word in named.split(","):
        if not word.strip().isdigit() or int(word) >= MACHINE.gpus:
            break
        seen.append(int(word))
    return seen
