"""BARs, links, counters and places as /sys writes them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.pci_sysfs import (
    Place,
    address_order,
    aer_total,
    bar_sizes,
    is_address,
    link_speed_gts,
    link_width,
    place_of,
)

ADA = """0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200
0x0000007800000000 0x0000007fffffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000008000000000 0x0000008001ffffff 0x000000000014220c"""
HOPPER = """0x0000088042000000 0x0000088042ffffff 0x000000000014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000084000000000 0x0000085fffffffff 0x000000000014220c"""
UNASSIGNED = """0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200
0x0000000000000000 0x0000000000000000 0x0000000000000000
0x0000000000000000 0x0000000000000000 0x0000000000000000"""
NO_SPACE = """0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200
0x0000000000000000 0x00000007ffffffff 0x000000002014220c
0x0000000000000000 0x0000000000000000 0x0000000000000000"""


@pytest.mark.parametrize(
    ("table", "bar0", "bar1"),
    [(ADA, 16 << 20, 32 << 30), (HOPPER, 16 << 20, 128 << 30), (UNASSIGNED, 16 << 20, 0), (NO_SPACE, 16 << 20, 0)],
)
def test_bar1_is_the_window_into_memory_and_0_where_not_assigned(table: str, bar0: int, bar1: int) -> None:
    assert bar_sizes(table) == (bar0, bar1)


@pytest.mark.parametrize("table", ["", "0x0 0x0 0x0", "x y z\nx y z\nx y z", "0x1 0x2\n" * 3])
def test_what_is_no_resource_table_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        bar_sizes(table)


@pytest.mark.parametrize(
    ("text", "speed"), [("16.0 GT/s PCIe", 16.0), ("8 GT/s", 8.0), ("2.5 GT/s PCIe", 2.5), ("Unknown", None)]
)
def test_link_speeds(text: str, speed: float | None) -> None:
    assert link_speed_gts(text) == speed


@pytest.mark.parametrize(("text", "width"), [("16", 16), ("1", 1), ("0", None), ("63", None), ("255", None)])
def test_a_width_that_no_link_has_is_not_told(text: str, width: int | None) -> None:
    assert link_width(text) == width


def test_the_total_of_an_error_counter_file() -> None:
    assert aer_total("RxErr 3\nBadTLP 4\nTOTAL_ERR_COR 7", "TOTAL_ERR_COR") == 7
    with pytest.raises(ValueError, match="TOTAL_ERR_FATAL"):
        aer_total("RxErr 3", "TOTAL_ERR_FATAL")


def test_the_place_of_a_device_is_the_bridges_below_the_last_host_bridge() -> None:
    assert place_of("/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0") == Place("pci0000:00", ("0000:00:01.0",))
    assert place_of("/sys/devices/pci0000:e2/0000:e2:00.5/pci10000:e0/10000:e0:01.0/10000:e1:00.0") == Place(
        "pci10000:e0", ("10000:e0:01.0",)
    )
    assert place_of("/sys/devices/LNXSYSTM:00/VMBUS:01/guid/pci0001:00/0001:00:00.0") == Place("pci0001:00", ())
    assert place_of("/somewhere/else") == Place("", ())


def test_long_domains_come_after_short_ones() -> None:
    assert sorted(["10000:01:00.0", "0000:c1:00.0", "0000:17:00.0"], key=address_order)[-1] == "10000:01:00.0"


@pytest.mark.parametrize("name", ["0000:00:01.9", "../../etc", "0000:00:01.0\n", "", "0000:0G:00.0", "0000:00:20.0"])
def test_what_is_no_pci_address(name: str) -> None:
    assert not is_address(name)


@given(st.text(max_size=300))
def test_no_text_does_anything_but_a_value_or_value_error(text: str) -> None:
    for reader in (bar_sizes, link_speed_gts, link_width, place_of, is_address):
        with contextlib.suppress(ValueError):
            reader(text)
