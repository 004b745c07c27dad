"""A communicator: its transports by NCCL's rules, and the faults that it meets on them."""

from __future__ import annotations

import os
import pickle
from typing import Any

from . import _choice as choice
from . import _clock as clock
from ._data import Data
from ._diagnose import diagnose
from ._faults import spoil
from ._log import Log
from ._machine import MACHINE, Fault, happens
from ._nothing import never_returns

_LATENCY_S = {"P2P": 9e-6, "SHM": 18e-6, "NET": 60e-6, "NVLS": 12e-6}
_RESULTS = {
    1: ("unhandled cuda error", "ncclUnhandledCudaError: Call to CUDA function failed."),
    2: (
        "unhandled system error",
        "ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error. ",
    ),
    3: (
        "internal error - please report this issue to the NCCL developers",
        "ncclInternalError: Internal check failed.",
    ),
}


class DistBackendError(RuntimeError):
    """As torch raises it."""


class Group:
    """Some ranks with a communicator, which is built when it is first used."""

    def __init__(self, ranks: list[int], rank: int, store: Any, key: str) -> None:
        from . import cuda

        self.ranks = ranks
        self.place = ranks.index(rank)
        self.store = store
        self.key = key
        self.local = cuda.current_device()
        self.gpu = cuda.physical(None)
        self.gpus: list[int] = []
        self.log = Log(self.local)
        self.number = 0

    # Building

    def connect(self) -> None:
        """Find the others, choose transports, meet faults."""
        if self.gpus:
            return
        if not choice.interface():
            self._fail(
                Fault("interface", "error", warn="bootstrap.cc:87 Bootstrap : no socket interface found", result=3)
            )
        count = len(self.ranks)
        self.log.start(self.place, count, self.gpu)
        self._meet("bootstrap")
        self.gpus = [int(text) for text in self._everybody("gpu", str(self.gpu).encode())]
        if len(set(self.gpus)) < count:
            text = "init.cc:1041 Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 1000"
            self._fail(Fault("all", "error", warn=text, result=5 if 5 in _RESULTS else 3))
        self.log.complete(self.place, count, self.gpu, nvls=choice.nvls(count))
        if os.environ.get("NCCL_RUN_DIAGNOSTICS") == "1" and MACHINE.version >= (2, 31) and self.place == 0:
            diagnose(self.log, self.gpus)
        for here, there in self.edges():
            if here == self.place:
                self.log.channels((here, self.gpus[here]), (there, self.gpus[there]), count)
        self._meet("connect")
        self._everybody("connected", b"1")
        self.log.connected(nvls=choice.nvls(count))

    def edges(self) -> list[tuple[int, int]]:
        """The ring, as places in the group."""
        count = len(self.ranks)
        return [(place, (place + 1) % count) for place in range(count)] if count > 1 else []

    # Faults

    def used(self) -> set[str]:
        """What this communicator uses."""
        used = {"all"}
        ways = {choice.transport(self.gpus[a], self.gpus[b], len(self.gpus)) for a, b in self._edges_if_known()}
        used |= {"p2p"} if any(way.startswith("P2P") for way in ways) else set()
        used |= {"shm"} if "SHM" in ways else set()
        used |= {"ib"} if "NET/IB" in ways else set()
        used |= {"cumem"} if choice.cumem() else set()
        used |= {"cumem_host"} if choice.cumem_host() and "SHM" in ways else set()
        used |= {"nvls"} if choice.nvls(len(self.ranks)) else set()
        return used

    def _edges_if_known(self) -> list[tuple[int, int]]:
        return self.edges() if self.gpus else []

    def _acts(self, fault: Fault, stage: str) -> bool:
        if fault.stage != stage or not self._uses(fault) or not happens(fault):
            return False
        if fault.where == "p2p" and fault.pairs:
            met = {
                MACHINE.pair(self.gpus[a], self.gpus[b])
                for a, b in self.edges()
                if choice.transport(self.gpus[a], self.gpus[b], len(self.gpus)).startswith("P2P")
            }
            return bool(met & set(fault.pairs))
        return True

    def _uses(self, fault: Fault) -> bool:
        if fault.where == "interface":
            return choice.interface() == fault.name
        if fault.where == "setting":
            return choice.is_set(*fault.name.split("=", 1))
        if fault.where == "ib" and fault.stage == "bootstrap":
            return bool(MACHINE.infiniband) and not choice.is_set("NCCL_IB_DISABLE", "1")
        if fault.where == "gpu":
            return bool(set(fault.gpus) & set(self.gpus))
        return fault.where in self.used()

    def _meet(self, stage: str) -> Fault | None:
        """Hang or fail where a fault says so; one that spoils data is given back."""
        for fault in MACHINE.faults:
            if self._acts(fault, stage):
                if fault.what == "hang":
                    never_returns()
                if fault.what == "error":
                    self._fail(fault)
                return fault
        return None

    def _fail(self, fault: Fault) -> None:
        self.log.warn(fault.warn)
        words, kind = _RESULTS.get(fault.result, _RESULTS[2])
        last = fault.warn.partition(" ")[2]
        raise DistBackendError(
            f"NCCL error in: /pytorch/torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:3690, {words} "
            f"(run with NCCL_DEBUG=INFO for details), NCCL version {MACHINE.nccl}\n{kind}\nLast error:\n{last}"
        )

    # Using

    def collect(self, data: Data) -> list[Data]:
        """The data of every rank of the group, in order."""
        return [Data(*pickle.loads(part)) for part in self._everybody("data", pickle.dumps(data.wire()))]  # noqa: S301

    def arrive(self, data: Data) -> Data:
        """What comes out of a collective."""
        fault = self._meet("data")
        if fault is None or (fault.where == "gpu" and self.gpu not in fault.gpus):
            return data
        return spoil(data, fault.kind)

    def spend(self, size: int, factor: float) -> None:
        """The time of a collective."""
        count = len(self.ranks)
        if choice.nvls(count):
            ways = [("NVLS", MACHINE.gb_per_s(self.gpus[0], self.gpus[-1], "NVLS"))]
        else:
            ways = []
            for a, b in self.edges():
                via = choice.transport(self.gpus[a], self.gpus[b], count)
                ways.append((via.partition("/")[0], MACHINE.gb_per_s(self.gpus[a], self.gpus[b], via)))
        if ways:
            family, speed = min(ways, key=lambda way: way[1])
            clock.spend(_LATENCY_S[family] + size * factor / (speed * 1e9))

    def _everybody(self, what: str, mine: bytes) -> list[bytes]:
        self.number += 1
        keys = [f"{self.key}/{self.number}/{what}/{place}" for place in range(len(self.ranks))]
        self.store.set(keys[self.place], mine)
        return [self.store.get(key) for key in keys]
