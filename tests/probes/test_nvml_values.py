"""What NVML returns, in every form that its versions return it."""

from __future__ import annotations

import contextlib
import ctypes
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_fabric import unhealthy_names


@pytest.mark.parametrize("value", ["NVIDIA L4", b"NVIDIA L4", b"NVIDIA L4\0rubbish", "NVIDIA L4\n"])
def test_text_is_decoded_whatever_the_package_returns(value: object) -> None:
    assert values.text(value) == "NVIDIA L4"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert values.text(b"\xff\xfeL4") == "\ufffd\ufffdL4"


@pytest.mark.parametrize(
    ("bus_id", "expected"),
    [("00000000:17:00.0", "0000:17:00.0"), (b"00010000:AF:00.0", "10000:af:00.0"), ("0000:01:00.0", "0000:01:00.0")],
)
def test_addresses_are_written_as_sys_writes_them(bus_id: str | bytes, expected: str) -> None:
    assert values.bus_id(SimpleNamespace(busId=bus_id)) == expected


@pytest.mark.parametrize("bus_id", ["", "garbage", None, 7, "zz:00"])
def test_an_address_that_is_none_is_refused(bus_id: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.bus_id(SimpleNamespace(busId=bus_id))


@pytest.mark.parametrize("number", [0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, -1, None, "4", 1.5])
def test_numbers_that_stand_for_no_value_are_refused(number: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.count(number)


def test_clock_event_reasons_are_named_bit_by_bit() -> None:
    assert values.clock_event_reasons(0) == ()
    assert values.clock_event_reasons(0x1) == ("gpu_idle",)
    assert values.clock_event_reasons(0xE8) == ("hw_slowdown", "sw_thermal", "hw_thermal", "hw_power_brake")
    assert values.clock_event_reasons(0x1FF) == (
        "gpu_idle",
        "app_clocks",
        "sw_power_cap",
        "hw_slowdown",
        "sync_boost",
        "sw_thermal",
        "hw_thermal",
        "hw_power_brake",
        "display_clock",
    )
    assert values.clock_event_reasons(0x8000) == ()


@pytest.mark.parametrize(
    ("version", "capability", "generation"),
    [
        (1, "6.0", 1),
        (2, "7.0", 2),
        (3, "7.0", 2),  # NVLINK_VERSION_2_2
        (4, "8.0", 3),  # NVLINK_VERSION_3_0
        (3, "8.0", 3),
        (5, "8.6", 3),  # NVLINK_VERSION_3_1
        (6, "9.0", 4),  # NVLINK_VERSION_4_0
        (4, "9.0", 4),
        (7, "10.0", 5),
        (5, "10.3", 5),
        (6, "", 4),
        (2, "", 2),
    ],
)
def test_the_nvlink_generation_is_told_whichever_numbers_the_driver_uses(
    version: int, capability: str, generation: int
) -> None:
    assert values.nvlink_generation(version, capability) == generation


def test_a_number_that_means_two_generations_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="generation or"):
        values.nvlink_generation(4, "")


@pytest.mark.parametrize(("words", "node"), [([1], 0), ([2], 1), ([0, 1], 64), ([0b1100], 2)])
def test_the_numa_node_is_the_lowest_bit_of_the_mask(words: list[int], node: int) -> None:
    assert values.first_bit((ctypes.c_ulonglong * len(words))(*words)) == node


def test_an_empty_mask_is_no_node() -> None:
    with pytest.raises(ValueError, match="no bit"):
        values.first_bit((ctypes.c_ulonglong * 4)())


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        (0, ()),
        (0b10, ()),  # false
        (0b01, ("degraded_bandwidth",)),
        (0b0001_0100 | 0b01_000000, ("route_recovery", "route_unhealthy", "access_timeout")),
        (1 << 8, ()),
        (4 << 8, ("no_partition",)),
        (15 << 8, ("incorrect_configuration_15",)),
        (0x1AA | 2 << 12, ()),
    ],
)
def test_the_fabric_health_mask_is_named_field_by_field(mask: int, names: tuple[str, ...]) -> None:
    assert unhealthy_names(mask) == names


@given(st.one_of(st.integers(), st.text(), st.binary(), st.none(), st.lists(st.integers()), st.floats()))
def test_no_converter_raises_anything_but_valueerror(value: object) -> None:
    for convert in (
        values.whole,
        values.text,
        values.flag,
        values.count,
        values.bus_id,
        values.pci_info,
        values.cuda_version,
        values.capability,
        values.memory,
        values.first_bit,
        values.compute_mode,
        values.virtualization_mode,
        values.recovery_action,
        values.clock_event_reasons,
    ):
        with contextlib.suppress(ValueError):
            convert(value)
