"""CUDA_VISIBLE_DEVICES is read as the driver reads it."""

from __future__ import annotations

from typing import Any

import pytest

from gpudoctor.derive import derive
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Nvml, Pci, PciGpu, Visible
from tests.derive.machines import machine

A3090, A4090 = "NVIDIA GeForce RTX 3090", "NVIDIA GeForce RTX 4090"


def visible(value: str | None, names: list[str] | None = None, **more: Any) -> Visible:
    variables = {} if value is None else {"CUDA_VISIBLE_DEVICES": value}
    return derive(machine(names or [A3090] * 4, variables=variables, **more)).visible


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        (None, (0, 1, 2, 3)),
        ("0,1", (0, 1)),
        ("1,2", (1, 2)),
        ("3,0", (3, 0)),
        (" 2 , 3", (2, 3)),
        ("0,1,9,2", (0, 1)),
        ("0,-1,1", (0,)),
        ("-1", ()),
        ("", ()),
        ("0,0", ()),
        ("0,1;2", (0, 1)),
        ("0;1", (0,)),
        ("0.1", (0,)),
        ("9;1", ()),
        ("gpu0", ()),
        ("GPU-00000002", (2,)),
        ("GPU-00000002-1111-2222-3333-444444444444,0", (2, 0)),
        ("GPU-0000000", ()),
        ("GPU-deadbeef,1", ()),
    ],
)
def test_devices_are_taken_until_the_first_bad_entry(value: str | None, devices: tuple[int, ...]) -> None:
    found = visible(value)
    assert found.devices.or_none() == devices
    assert found.count.or_none() == len(devices)


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ("0,1,9,2", "first_bad", "9"),
        ("0,1,9,2", "out_of_range", ("9",)),
        ("0,0,1", "duplicates", ("0",)),
        ("0,GPU-00000000", "duplicates", ("GPU-00000000",)),
        ("0,1;2", "malformed", ("1;2",)),
        ("GPU-deadbeef", "unknown_uuids", ("GPU-deadbeef",)),
        ("MIG-abc/1/0", "uses_mig", True),
        ("-1", "negative", True),
        (",", "empty", True),
        ("0", "empty", False),
        ("0, 1", "spaces", True),
    ],
)
def test_the_reason_is_named(value: str, field: str, expected: object) -> None:
    assert getattr(visible(value), field).or_none() == expected


def test_numbers_count_in_cudas_order_not_nvidia_smis() -> None:
    found = visible("0", [A3090, A4090], cuda_order=[1, 0])
    assert found.devices.or_none() == (1,)
    assert found.order_differs.or_none() is True


def test_pci_bus_order_makes_both_orders_one() -> None:
    facts = machine(
        [A3090, A4090], variables={"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, cuda_order=[1, 0]
    )
    found = derive(facts).visible
    assert found.devices.or_none() == (0,)
    assert found.order_differs.or_none() is False


def test_mixed_cards_without_the_driver_api_are_not_guessed() -> None:
    found = visible("0", [A3090, A4090])
    assert not found.devices.known
    assert not found.order_differs.known


def test_an_unset_variable_does_not_apply_rather_than_being_unknown() -> None:
    assert visible(None).raw.absent == "not_applicable"
    assert visible(None).duplicates.absent == "not_applicable"


def test_cards_on_the_bus_without_a_driver_are_not_visible() -> None:
    bus = (PciGpu(bus_id="0000:01:00.0"), PciGpu(bus_id="0000:02:00.0"))
    facts = Facts(nvml=Nvml(init_error=known("DRIVER_NOT_LOADED", "nvml")), pci=Pci(gpus=known(bus, "sysfs")))
    assert derive(facts).gpus.pci_count.or_none() == 2
    assert derive(facts).gpus.visible_count.or_none() == 0
