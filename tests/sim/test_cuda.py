"""The stub of libcuda, through ctypes."""

from __future__ import annotations

import pytest

from tests.sim import machine
from tests.sim.conftest import Machines
from tests.sim.harness import cuda

NO_DEVICE = 100

MIXED = [gpu.bdf for gpu in machine.load("rtx3090-rtx4090-mixed").gpus]
UUIDS = [gpu.uuid for gpu in machine.load("rtx3090-rtx4090-mixed").gpus]


def test_the_fastest_device_comes_first(machines: Machines) -> None:
    assert cuda(machines("rtx3090-rtx4090-mixed")) == [MIXED[1], MIXED[0]]


def test_bus_order_on_demand(machines: Machines) -> None:
    assert cuda(machines("rtx3090-rtx4090-mixed"), CUDA_DEVICE_ORDER="PCI_BUS_ID") == MIXED


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("0", [MIXED[1]]),  # a number counts in CUDA's order
        ("1,0", [MIXED[0], MIXED[1]]),
        (" 1 , 0 ", [MIXED[0], MIXED[1]]),
        ("0,7,1", [MIXED[1]]),  # ends at the first that does not exist
        ("0,-1,1", [MIXED[1]]),
        ("7,0", NO_DEVICE),
        ("", NO_DEVICE),
        ("-1", NO_DEVICE),
        ("NoDevFiles", NO_DEVICE),
        ("0,0", NO_DEVICE),  # twice empties the list
        ("0gpu,1", [MIXED[1], MIXED[0]]),  # read as strtol does
        (UUIDS[0], [MIXED[0]]),
        (UUIDS[0][:10], [MIXED[0]]),
        (f"{UUIDS[1]},{UUIDS[0]}", [MIXED[1], MIXED[0]]),
        ("GPU-", NO_DEVICE),  # names both
        (f"{UUIDS[0]},0", [MIXED[0]]),  # the first entry decides what the others are
        ("GPU-ffffffff", NO_DEVICE),
    ],
)
def test_cuda_visible_devices(machines: Machines, variable: str, expected: list[str] | int) -> None:
    assert cuda(machines("rtx3090-rtx4090-mixed"), CUDA_VISIBLE_DEVICES=variable) == expected


def test_numbers_count_in_the_order_asked_for(machines: Machines) -> None:
    folder = machines("rtx3090-rtx4090-mixed")
    assert cuda(folder, CUDA_VISIBLE_DEVICES="0", CUDA_DEVICE_ORDER="PCI_BUS_ID") == [MIXED[0]]


def test_mig_is_one_device(machines: Machines) -> None:
    folder = machines("a100-mig")
    first, second = (gpu.bdf for gpu in machine.load("a100-mig").gpus)
    assert cuda(folder) == [first]
    uuid = machine.load("a100-mig").gpus[1].mig
    assert uuid is not None
    listed = ",".join(device.uuid for device in uuid.devices[:2])
    assert cuda(folder, CUDA_VISIBLE_DEVICES=listed) == [second]


def test_peer_access_follows_the_visible_numbers(machines: Machines) -> None:
    """GPU 0 and 2 share a bridge: peers as devices 0 and 1 of "0,2", not as devices 0 and 1 of all four."""
    folder = machines("rtx3090x4-two-nvlink-pairs")
    expression = '(names(), number("cuDeviceCanAccessPeer", 0, 1))[1]'
    assert cuda(folder, expression) == [0, 0]
    assert cuda(folder, expression, CUDA_VISIBLE_DEVICES="0,2") == [0, 1]


@pytest.mark.parametrize(
    ("name", "peers"), [("rtx4090x2", 0), ("rtx3090x2-nvlink", 1), ("l40sx4-two-sockets", 1), ("t4x2-vm", 0)]
)
def test_peer_access(machines: Machines, name: str, peers: int) -> None:
    assert cuda(machines(name), '(names(), number("cuDeviceCanAccessPeer", 1, 0))[1]') == [0, peers]


def test_attributes_version_and_memory(machines: Machines) -> None:
    expression = """(names(), [number("cuDeviceGetAttribute", attribute, 0)[1] for attribute in (75, 76, 33)],
        number("cuDriverGetVersion"), number("cuDeviceTotalMem_v2", 0, kind=ctypes.c_size_t)[1] >> 20)[1:]"""
    assert cuda(machines("rtx4090x2"), expression) == [[8, 9, 1], [0, 13000], 24564 - 482]


def test_uuid_bytes(machines: Machines) -> None:
    expression = "(names(), (lambda b: (cuda.cuDeviceGetUuid(b, 1), b.raw.hex()))(ctypes.create_string_buffer(16)))[1]"
    uuid = machine.load("rtx4090x2").gpus[1].uuid
    assert cuda(machines("rtx4090x2"), expression) == [0, uuid.removeprefix("GPU-").replace("-", "")]


def test_nothing_works_before_cuinit(machines: Machines) -> None:
    assert cuda(machines("rtx4090x2"), 'number("cuDeviceGetCount")')[0] == 3


def test_error_names(machines: Machines) -> None:
    expression = "(lambda p: (cuda.cuGetErrorName(802, ctypes.byref(p)), p.value.decode())[1])(ctypes.c_char_p())"
    assert cuda(machines("rtx4090x2"), expression) == "CUDA_ERROR_SYSTEM_NOT_READY"
