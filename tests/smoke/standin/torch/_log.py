"""What NCCL prints, in the forms of its versions."""

from __future__ import annotations

import os
import sys
import time

from ._choice import interface, transport
from ._machine import MACHINE

_HOST = "node0"


class Log:
    """One rank's log."""

    def __init__(self, device: int) -> None:
        self._device = device
        self._wanted = os.environ.get("NCCL_DEBUG", "").upper() in ("INFO", "TRACE")
        self._pid = os.getpid()

    def info(self, text: str) -> None:
        """An INFO line."""
        if self._wanted:
            sys.stdout.write(f"{_HOST}:{self._pid}:{self._pid} [{self._device}] NCCL INFO {text}\n")
            sys.stdout.flush()

    def warn(self, text: str) -> None:
        """A WARN line: `file.cc:1 text`. Since 2.26.2 it begins with the time."""
        place, _, words = text.partition(" ")
        stamp = time.strftime("[%Y-%m-%d %H:%M:%S] ") if MACHINE.version >= (2, 26, 2) else ""
        line = f"{stamp}{_HOST}:{self._pid}:{self._pid} [{self._device}] {place} NCCL WARN {words}"
        sys.stdout.write(f"\n{line}\n")
        sys.stdout.flush()

    def diagnosis(self, text: str) -> None:
        """A line of NCCL's own diagnostics."""
        sys.stdout.write(f"{_HOST}:{self._pid} NCCL DIAG {text}\n")
        sys.stdout.flush()

    def start(self, rank: int, ranks: int, gpu: int) -> None:
        """From the first line to Init START."""
        for name, value in sorted(os.environ.items()):
            if name.startswith("NCCL_") and not name.startswith("NCCL_DEBUG"):
                self.info(f"{name} set by environment to {value}{'.' if value.isdigit() else ''}")
        colon = ": Using" if MACHINE.version >= (2, 24) else " : Using"
        self.info(f"Bootstrap{colon} {interface()}:10.0.0.5<0>")
        self.info(f"NCCL version {MACHINE.nccl}+cuda{MACHINE.cuda}")
        if MACHINE.infiniband and os.environ.get("NCCL_IB_DISABLE") != "1":
            names = " ".join(f"[{place}]{name}:1/IB" for place, name in enumerate(MACHINE.infiniband))
            self.info(f"NET/IB : Using {names} [RO]; OOB {interface()}:10.0.0.5<0>")
            self.info("Using network IB")
        else:
            self.info("NET/IB : No device found.")
            self.info(f"NET/Socket : Using [0]{interface()}:10.0.0.5<0>")
            self.info("Using network Socket")
        self.info(f"{self._comm(rank, ranks, gpu)} commId 0x1f2e3d4c5b6a7988 - Init START")

    def complete(self, rank: int, ranks: int, gpu: int, *, nvls: bool) -> None:
        """What is said when the communicator is there."""
        if nvls:
            self.info(f"NVLS multicast support is available on dev {self._device} (NVLS_NCHANNELS 16)")
        else:
            self.info(f"NVLS multicast support is not available on dev {self._device} (NVLS_NCHANNELS 0)")
        self.info(
            f"comm 0x55d0c0ffee00 rank {rank} nRanks {ranks} nNodes 1 localRanks {ranks} localRank {rank} MNNVL 0"
        )
        self.info(f"{self._comm(rank, ranks, gpu)} commId 0x1f2e3d4c5b6a7988 - Init COMPLETE")

    def channels(self, here: tuple[int, int], there: tuple[int, int], count: int) -> None:
        """The channels from one (rank, GPU) to another."""
        via = transport(here[1], there[1], count)
        shared = "SHM/direct" if MACHINE.version >= (2, 30, 7) else "SHM/direct/direct"
        numbered = MACHINE.version >= (2, 18, 3)
        a, b = (f"{rank}[{gpu if numbered else format((gpu + 1) << 12, 'x')}]" for rank, gpu in (here, there))
        for channel in range(2):
            if via.startswith("NET"):
                self.info(f"Channel {channel:02d}/0 : {a} -> {b} [send] via {via}/0")
            else:
                self.info(f"Channel {channel:02d}/0 : {a} -> {b} via {shared if via == 'SHM' else via}")

    def connected(self, *, nvls: bool) -> None:
        """After the channels."""
        ring = "Connected all rings, use ring PXN 0 GDR 1" if MACHINE.version >= (2, 24) else "Connected all rings"
        self.info(ring)
        if nvls:
            self.info("Connected NVLS tree")

    def _comm(self, rank: int, ranks: int, gpu: int) -> str:
        bus = format((gpu + 1) << 12, "x")
        function = "ncclCommInitRankConfig " if MACHINE.version >= (2, 23) else ""
        return (
            f"{function}comm 0x55d0c0ffee00 rank {rank} nranks {ranks} cudaDev {self._device} nvmlDev {gpu} busId {bus}"
        )
