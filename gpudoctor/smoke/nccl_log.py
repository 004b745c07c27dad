"""What NCCL's own log says. Forms differ by version; what is read here is common to 2.8 and later."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["", "bootstrap", "setup", "data"]
Diagnostics = Literal["", "passed", "failed", "import", "unfinished"]

_CHANNEL = re.compile(
    r"NCCL INFO (?:Channel|Ring) \d+(?:/\d+)? ?: ?(?P<a>\d+)\[\w+\] -> (?P<b>\d+)\[\w+\] "
    r"(?:\[\w+\] )?via (?P<via>\S+(?: \w+)*)"
)
_START = re.compile(
    r"NCCL INFO (?:\S+ )?comm \w+ rank (?P<rank>\d+) nranks (?P<ranks>\d+) cudaDev \d+"
    r"(?: nvmlDev (?P<nvml>\d+))? busId (?P<bus>[0-9a-f]+) (?:commId \w+ )?- Init (?P<which>START|COMPLETE)"
)
_BOOTSTRAP = re.compile(r"NCCL INFO Bootstrap ?: Using (?P<name>[\w.@-]+):")
_INFINIBAND = re.compile(r"NCCL INFO NET/IB ?: Using ")
_NVLS = re.compile(r"NCCL INFO (?:NVLS multicast support is available|Connected NVLS tree)")
# Printed when every rank has heard from every other one.
_AFTER_BOOTSTRAP = re.compile(r"NCCL INFO (?:comm \w+ rank \d+ nRanks |NVLS multicast support|Channel |Ring )")
_WARN = re.compile(r"NCCL WARN (?P<text>.*)")
_DIAGNOSTICS = re.compile(r"NCCL DIAG (?P<text>.*)")
_EDGE = re.compile(r"srcRank=(?P<a>\d+) .*?dstRank=(?P<b>\d+) ")
_SHARED_MEMORY = "direct shared memory"  # what SHM was called up to 2.12
_MAX_DIAGNOSTICS = 64
_MAX_TEXT = 400


@dataclass(frozen=True)
class NcclLog:
    """All ranks together. Ranks and edges are those of the world; pairs that are tested alone are left out."""

    edges: dict[tuple[int, int], str] = field(default_factory=dict)  # (rank, rank): P2P/CUMEM, SHM, NET/Socket ...
    channels: Counter[str] = field(default_factory=Counter)  # how many by transport
    nvml: dict[int, int] = field(default_factory=dict)  # NVML's number of each rank's GPU
    bus: dict[int, str] = field(default_factory=dict)  # its PCI address, 0000:47:00.0
    interface: str = ""  # of the bootstrap
    infiniband: bool = False
    nvls: bool = False
    stage: Stage = ""  # how far it came; "" where there is no log
    warnings: tuple[str, ...] = ()
    diagnostics: tuple[str, ...] = ()  # NCCL's own, since 2.31
    twos: tuple[tuple[str, ...], ...] = ()  # by output: transports of its communicators of two, in order

    def transport(self) -> str | None:
        """All that were used, the most frequent first; None where nothing was said."""
        return ", ".join(name for name, _ in self.channels.most_common(4)) or None

    def uses(self, family: str) -> bool:
        """Whether a transport of this family was chosen."""
        return any(name.startswith(family) for name in self.channels)

    def diagnosed(self) -> Diagnostics:
        """What its own diagnostics concluded; "" where they were not run."""
        lines = self.diagnostics
        if not lines:
            return ""
        if any("import failed" in line for line in lines):
            return "import"
        if any(line.startswith("[INFO] p2p:") and "temporarily" not in line for line in lines):
            return "failed"
        return "passed" if any("completed in" in line for line in lines) else "unfinished"

    def diagnosed_pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of ranks that its diagnostics name as failing."""
        found = [match for line in self.diagnostics if (match := _EDGE.search(line))]
        return tuple(sorted({(min(a, b), max(a, b)) for a, b in ((int(m["a"]), int(m["b"])) for m in found)}))


def read_log(outputs: Sequence[str], world_size: int) -> NcclLog:
    """Read what the ranks printed."""
    reader = _Reader(world_size)
    for output in outputs:
        reader.whole = True
        reader.twos.append([])
        for line in output.splitlines():
            if "NCCL" in line:
                reader.take(line[:2000])
    return reader.result()


def transport(logs: list[str]) -> str | None:
    """The transports of a log, for whatever communicators."""
    reader = _Reader(0)
    for log in logs:
        for match in _CHANNEL.finditer(log):
            reader.channels[_short(match["via"])] += 1
    return ", ".join(name for name, _ in reader.channels.most_common(4)) or None


class _Reader:
    def __init__(self, world_size: int) -> None:
        self.world_size = world_size
        self.whole = True  # whether the lines are of a communicator of all ranks
        self.edges: dict[tuple[int, int], str] = {}
        self.channels: Counter[str] = Counter()
        self.twos: list[list[str]] = []  # by output: transports of communicators of two, in order
        self.nvml: dict[int, int] = {}
        self.bus: dict[int, str] = {}
        self.interface = ""
        self.infiniband = self.nvls = self.started = self.met = self.chosen = False
        self.warnings: list[str] = []
        self.diagnostics: list[str] = []

    def take(self, line: str) -> None:
        start = _START.search(line)
        if start:
            self.whole = int(start["ranks"]) == self.world_size
            self.started = True
            if self.whole:
                self._who(start)
            if start["ranks"] == "2" and start["which"] == "START":
                self.twos[-1].append("")
        channel = _CHANNEL.search(line)
        if channel:
            self._channel(int(channel["a"]), int(channel["b"]), _short(channel["via"]))
        self._rest(line)

    def _channel(self, a: int, b: int, name: str) -> None:
        self.chosen = True
        if self.twos[-1] and not self.twos[-1][-1]:
            self.twos[-1][-1] = name
        if self.whole:
            self.channels[name] += 1
            self.edges.setdefault((a, b), name)

    def _who(self, start: re.Match[str]) -> None:
        rank = int(start["rank"])
        if start["nvml"] is not None:
            self.nvml[rank] = int(start["nvml"])
        self.bus[rank] = bus_id(int(start["bus"], 16))

    def _rest(self, line: str) -> None:
        bootstrap = _BOOTSTRAP.search(line)
        if bootstrap:
            self.interface = bootstrap["name"]
            self.started = True
        self.infiniband = self.infiniband or bool(_INFINIBAND.search(line))
        self.nvls = self.nvls or bool(_NVLS.search(line))
        self.met = self.met or bool(_AFTER_BOOTSTRAP.search(line))
        warning = _WARN.search(line)
        if warning and len(self.warnings) < _MAX_DIAGNOSTICS:
            self.warnings.append(warning["text"][:_MAX_TEXT])
        told = _DIAGNOSTICS.search(line)
        if told and len(self.diagnostics) < _MAX_DIAGNOSTICS:
            self.diagnostics.append(told["text"][:_MAX_TEXT])

    def result(self) -> NcclLog:
        stage: Stage = "data" if self.chosen else "setup" if self.met else "bootstrap" if self.started else ""
        return NcclLog(
            edges=self.edges,
            channels=self.channels,
            nvml=self.nvml,
            bus=self.bus,
            interface=self.interface,
            infiniband=self.infiniband,
            nvls=self.nvls,
            stage=stage,
            warnings=tuple(self.warnings),
            diagnostics=tuple(self.diagnostics),
            twos=tuple(tuple(names) for names in self.twos),
        )


def bus_id(number: int) -> str:
    """NCCL's number for a PCI address, four bits of function last: 0x47000 is 0000:47:00.0."""
    domain, bus, device, function = number >> 20, number >> 12 & 0xFF, number >> 4 & 0xFF, number & 0xF
    return f"{domain:04x}:{bus:02x}:{device:02x}.{function}"


def _short(via: str) -> str:
    if via.startswith(_SHARED_MEMORY):
        return "SHM"
    parts = via.split(maxsplit=1)[0].split("/")
    return parts[0] if parts[0] == "SHM" else "/".join(parts[:2])
