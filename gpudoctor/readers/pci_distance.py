"""How far two devices of a PCI tree are from one another, in the words of `nvidia-smi topo -m`."""

from __future__ import annotations

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.readers.pci_sysfs import Place


def shared_bridges(a: Place, b: Place) -> int:
    """How many bridges from the root down lie above both."""
    if a.root != b.root:
        return 0
    count = 0
    for one, other in zip(a.bridges, b.bridges, strict=False):
        if one != other:
            break
        count += 1
    return count


def level(a: Place, b: Place, nodes: tuple[int | None, int | None], numa_nodes: int, source: str) -> Fact[str]:
    """One switch is at most one bridge further down on either side; NUMA nodes decide between host bridges.

    `nodes` are the devices' NUMA nodes, None where nobody says; `numa_nodes` how many the machine has.
    """
    shared = shared_bridges(a, b)
    if not a.root or not b.root:
        return absent("parse_error", "no host bridge in the path of the device", source)
    if shared:
        further = max(len(a.bridges), len(b.bridges)) - shared
        return known("PIX" if further <= 1 else "PXB", source)
    if a.root == b.root:
        return known("PHB", source)
    if numa_nodes == 1:
        return known("NODE", source)
    if None in nodes:
        return absent("not_supported", "different host bridges, and the firmware names no NUMA node", source)
    return known("NODE" if nodes[0] == nodes[1] else "SYS", source)
