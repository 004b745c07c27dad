"""Distances in a PCI tree."""

from __future__ import annotations

import pytest

from gpudoctor.readers.pci_distance import level, shared_bridges
from gpudoctor.readers.pci_sysfs import Place

SWITCH = Place("pci0000:00", ("00:01.0", "01:00.0", "02:00.0"))
BESIDE = Place("pci0000:00", ("00:01.0", "01:00.0", "02:01.0"))
BELOW_ANOTHER = Place("pci0000:00", ("00:01.0", "01:00.0", "02:02.0", "05:00.0", "06:00.0"))
OTHER_PORT = Place("pci0000:00", ("00:03.0",))
OTHER_BRIDGE = Place("pci0000:80", ("80:01.0",))


@pytest.mark.parametrize(
    ("a", "b", "nodes", "numa_nodes", "expected"),
    [
        (SWITCH, BESIDE, (0, 0), 2, "PIX"),
        (SWITCH, BELOW_ANOTHER, (0, 0), 2, "PXB"),
        (SWITCH, OTHER_PORT, (0, 0), 2, "PHB"),
        (SWITCH, OTHER_BRIDGE, (0, 0), 2, "NODE"),
        (SWITCH, OTHER_BRIDGE, (0, 1), 2, "SYS"),
        (SWITCH, OTHER_BRIDGE, (None, None), 1, "NODE"),
    ],
)
def test_levels(a: Place, b: Place, nodes: tuple[int | None, int | None], numa_nodes: int, expected: str) -> None:
    assert level(a, b, nodes, numa_nodes, "x").value == expected


def test_what_the_firmware_does_not_say() -> None:
    assert level(SWITCH, OTHER_BRIDGE, (None, 0), 2, "x").absent == "not_supported"
    assert level(SWITCH, Place("", ()), (0, 0), 2, "x").absent == "parse_error"


def test_bridges_above_both() -> None:
    assert (shared_bridges(SWITCH, BESIDE), shared_bridges(SWITCH, OTHER_BRIDGE)) == (2, 0)
