"""The GPUs of the machine file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from .._machine import MACHINE, happens, visible
from .._nothing import never_returns
from .._tensor import Device
from . import nccl as nccl

_current = 0


def is_available() -> bool:
    """Whether there is one."""
    return bool(visible())


def device_count() -> int:
    """How many this process sees."""
    return len(visible())


def set_device(device: Any) -> None:
    """The one that is meant where none is named."""
    global _current  # noqa: PLW0603 - as in torch
    _current = Device(device).index or 0


def current_device() -> int:
    """Its number."""
    return _current


def physical(index: int | None) -> int:
    """The number of a GPU on the machine."""
    return visible()[_current if index is None else index]


def touch(device: Any) -> None:
    """The first use of a GPU that does not start never ends."""
    if device is None or Device(device).type != "cuda":
        return
    gpu = physical(Device(device).index)
    for fault in MACHINE.faults:
        if fault.where == "gpu" and fault.stage == "start" and gpu in fault.gpus and happens(fault):
            if fault.what == "hang":
                never_returns()
            raise RuntimeError(f"CUDA error: {fault.warn}")


def synchronize(device: Any = None) -> None:
    """Everything is done when it is called."""


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total."""
    return MACHINE.free_bytes, MACHINE.free_bytes + (2 << 30)


def get_device_properties(device: Any) -> SimpleNamespace:
    """Name, and place on the bus: GPU n is at n+1:00.0."""
    gpu = physical(Device(device).index)
    return SimpleNamespace(
        name=MACHINE.name,
        major=8,
        minor=9,
        total_memory=mem_get_info()[1],
        pci_bus_id=gpu + 1,
        pci_device_id=0,
        pci_domain_id=0,
    )


def can_device_access_peer(device: Any, peer: Any) -> bool:
    """What the driver grants."""
    return MACHINE.may_peer(physical(Device(device).index), physical(Device(peer).index))


def ipc_collect() -> None:
    """Nothing is kept."""
