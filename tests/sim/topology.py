"""What follows from a machine file about pairs of GPUs: PCIe distance, NVLinks, P2P status, peer access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tests.sim.machine import Bridge, Machine, P2p
from tests.sim.machine_gpu import Gpu

T = TypeVar("T")

LEVELS = {"PIX": 10, "PXB": 20, "PHB": 30, "NODE": 40, "SYS": 50}
STATUSES = ("OK", "CNS", "GNS", "TNS", "DR", "NS", "U")
CAPABILITIES = ("read", "write", "nvlink", "atomics", "pci")


@dataclass(frozen=True)
class Place:
    """Where a device is: the bridges above it, the root port first."""

    above: tuple[Bridge, ...]

    @property
    def numa(self) -> int:
        return self.above[0].numa if self.above else -1

    @property
    def root_bus(self) -> str:
        return self.above[0].at[:7] if self.above else "0000:00"


def _walk(bridges: tuple[Bridge | str, ...], above: tuple[Bridge, ...]) -> Iterator[tuple[str, Place]]:
    for item in bridges:
        if isinstance(item, str):
            yield item, Place(above)
        else:
            yield item.at, Place(above)
            yield from _walk(item.below, (*above, item))


def places(machine: Machine) -> dict[str, Place]:
    """Every PCI device and bridge of the tree, by address."""
    return dict(_walk(machine.pci, ()))


def for_pair(table: Mapping[str, T], first: int, second: int) -> T | None:
    """The entry for an ordered pair: "0>1" is meant for one direction, "0-1" for both."""
    for key in (f"{first}>{second}", f"{first}-{second}", f"{second}-{first}"):
        if key in table:
            return table[key]
    return None


def level(machine: Machine, first: int, second: int) -> str:
    """PIX ... SYS, the PCIe distance below any NVLink."""
    stated = for_pair(machine.pcie_levels, first, second)
    if stated is not None:
        return stated
    return distance(places(machine), machine.gpus[first].bdf, machine.gpus[second].bdf)


def distance(at: Mapping[str, Place], first: str, second: str) -> str:
    """PIX ... SYS between two devices of the tree."""
    none = Place(())
    one, two = at.get(first, none), at.get(second, none)
    common = sum(1 for a, b in zip(one.above, two.above, strict=False) if a == b)
    if common:
        # A switch is an upstream port with downstream ports below it: one switch is one step down on either side.
        steps = max(len(one.above), len(two.above)) - common
        return "PIX" if steps <= 1 else "PXB"
    if one.root_bus == two.root_bus:
        return "PHB"
    return "NODE" if one.numa == two.numa else "SYS"


def link_peer(gpu: Gpu, link: int) -> str | int | None:
    """What is at the end of a link: "switch", the index of a GPU, or None where nothing answers."""
    if gpu.nvlink is None or link in gpu.nvlink.down:
        return None
    to = gpu.nvlink.to
    if isinstance(to, list):
        return to[link] if link < len(to) else None
    return to


def active_links(gpu: Gpu) -> list[int]:
    return [link for link in range(gpu.nvlink.count if gpu.nvlink else 0) if link_peer(gpu, link) is not None]


def bonded_links(machine: Machine, first: int, second: int) -> int:
    """How many NVLinks join two GPUs; through a switch, all that both have."""
    one, two = machine.gpus[first], machine.gpus[second]
    if one.nvlink and two.nvlink and one.nvlink.to == two.nvlink.to == "switch":
        return min(len(active_links(one)), len(active_links(two)))
    return sum(1 for link in active_links(one) if link_peer(one, link) == second)


def cell(machine: Machine, first: int, second: int) -> str:
    """What `nvidia-smi topo -m` prints for the pair."""
    links = bonded_links(machine, first, second)
    return f"NV{links}" if links else level(machine, first, second)


def p2p(machine: Machine, first: int, second: int) -> P2p:
    return for_pair(machine.p2p_pairs, first, second) or machine.p2p


def peer_access(machine: Machine, first: int, second: int) -> bool:
    """What cuDeviceCanAccessPeer answers."""
    stated = for_pair(machine.cuda.peer_pairs, first, second)
    if stated is not None:
        return stated
    if machine.cuda.peer != "as_p2p":
        return machine.cuda.peer == "all"
    status = p2p(machine, first, second)
    return status.read == "OK" and status.write == "OK"


def numa_node(machine: Machine, gpu: Gpu) -> int:
    place = places(machine).get(gpu.bdf)
    return place.numa if place else -1


def cpu_list(machine: Machine, gpu: Gpu) -> str:
    """CPUs near a GPU; all of them where the machine does not tell nodes apart."""
    nodes = machine.system.cpu.nodes
    node = numa_node(machine, gpu)
    return nodes[node] if 0 <= node < len(nodes) else ",".join(nodes)


def cpus(listed: str) -> list[int]:
    """The numbers of "0-3,8"."""
    numbers: list[int] = []
    for part in listed.split(","):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def pairs(machine: Machine) -> Iterator[tuple[int, int]]:
    """Ordered pairs of different GPUs."""
    count = len(machine.gpus)
    return ((a, b) for a in range(count) for b in range(count) if a != b)
