"""`nvidia-smi topo` and `nvidia-smi nvlink`, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim import topology
from tests.sim.machine import Infiniband, Machine

UNDERLINE, RESET = "\x1b[4m", "\x1b[0m"

_LEGEND = """
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)
  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a NUMA node
  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)
  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)
  PIX  = Connection traversing at most a single PCIe bridge
  NV#  = Connection traversing a bonded set of # NVLinks
"""

_P2P_LEGEND = """
Legend:

  X    = Self
  OK   = Status Ok
  CNS  = Chipset not supported
  GNS  = GPU not supported
  TNS  = Topology not supported
  NS   = Not supported
  U    = Unknown
"""

CAPABILITY_LETTERS = dict(zip("rwnap", topology.CAPABILITIES, strict=True))


def matrix(machine: Machine) -> str:
    """`nvidia-smi topo -m`."""
    gpus = [f"GPU{index}" for index in range(len(machine.gpus))]
    cards = machine.system.infiniband
    nics = [f"NIC{index}" for index in range(len(cards))]
    columns = "\t".join([*gpus, *nics, "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"])
    lines = [f"\t{UNDERLINE}{columns}{RESET}"]
    for index, name in enumerate(gpus):
        cells = [" X " if other == index else topology.cell(machine, index, other) for other in range(len(gpus))]
        near = [_to_card(machine, machine.gpus[index].bdf, card) for card in cards]
        lines.append("\t".join([name, *cells, *near, _affinity(machine, index)]))
    for position, (name, card) in enumerate(zip(nics, cards, strict=True)):
        cells = [_to_card(machine, gpu.bdf, card) for gpu in machine.gpus]
        near = [" X " if other == position else _to_card(machine, card.bdf, cards[other]) for other in range(len(nics))]
        lines.append("\t".join([name, *cells, *near]) + "\t")
    text = "\n".join(lines) + "\n" + _LEGEND
    if nics:
        legend = "\n".join(f"  {name}: {card.name}" for name, card in zip(nics, cards, strict=True))
        text += f"\nNIC Legend:\n\n{legend}\n"
    return text + "\n"


def _affinity(machine: Machine, index: int) -> str:
    """The last columns: two tabs before a column that has no value of its own."""
    gpu = machine.gpus[index]
    node = topology.numa_node(machine, gpu)
    memory = "N/A" if gpu.memory_numa_node is None else str(gpu.memory_numa_node)
    listed = topology.cpu_list(machine, gpu)
    return f"{listed}\t{node}\t\t{memory}" if node >= 0 else f"{listed}\t\tN/A\t\t{memory}"


def _to_card(machine: Machine, bdf: str, card: Infiniband) -> str:
    return topology.distance(topology.places(machine), bdf, card.bdf)


def p2p(machine: Machine, capability: str) -> str:
    """`nvidia-smi topo -p2p CAPABILITY`: a blank in front, a tab at the end."""
    names = [f"GPU{index}" for index in range(len(machine.gpus))]
    lines = [" \t" + "".join(f"{name}\t" for name in names)]
    for index, name in enumerate(names):
        cells = [
            "X" if other == index else getattr(topology.p2p(machine, index, other), capability)
            for other in range(len(names))
        ]
        lines.append(f" {name}\t" + "".join(f"{cell}\t" for cell in cells))
    return "\n".join(lines) + "\n" + _P2P_LEGEND


def nvlink_status(machine: Machine) -> str:
    """`nvidia-smi nvlink -s`."""
    return "\n".join(line for index in range(len(machine.gpus)) for line in _links(machine, index)) + "\n"


def _links(machine: Machine, index: int) -> Iterator[str]:
    gpu = machine.gpus[index]
    yield f"GPU {index}: {gpu.name} (UUID: {gpu.uuid})"
    if gpu.nvlink is None:
        return
    active = topology.active_links(gpu)
    if not active:
        yield "NVML: Unable to retrieve NVLink information as all links are inActive"
        return
    for link in range(gpu.nvlink.count):
        speed = f"{gpu.nvlink.speed_mbps / 1000:.3f} GB/s" if link in active else "<inactive>"
        yield f"\t Link {link}: {speed}"
