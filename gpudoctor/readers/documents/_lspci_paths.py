"""Places of GPUs in the tree of a full `lspci -vvv`, and what redirects between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeVar

from gpudoctor.data.hardware import look_up
from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, known
from gpudoctor.model.facts import PciGpu, PciPath
from gpudoctor.readers.documents._gpu_names import canonical
from gpudoctor.readers.documents._lspci_devices import Device
from gpudoctor.readers.pci_distance import level, shared_bridges
from gpudoctor.readers.pci_sysfs import Place

T = TypeVar("T")

_MAX_DEPTH = 32
_DATA_CENTRE_BAR = 2  # since Hopper BAR0 takes two numbers, so that the window into memory has the third


def pci_gpu(gpu: Device, devices: Sequence[Device], source: str) -> PciGpu:
    """A GPU's own lines, and those of the bridge above it."""
    above = _above(gpu, _by_secondary(devices))
    return PciGpu(
        bus_id=gpu.address,
        device_id=_known(gpu.device_id or _id_by_name(gpu.model) or None, source),
        driver=_known(gpu.driver, source),
        bar0_bytes=_known((gpu.bars or {}).get(0), source),
        bar1_bytes=_known(_window(gpu.bars), source),
        link_width=_known(gpu.width, source),
        link_width_max=_known(gpu.width_max, source),
        link_speed_gts=_known(gpu.speed, source),
        link_speed_max_gts=_known(gpu.speed_max, source),
        slot_width_max=_known(above.width_max if above else None, source),
        slot_speed_max_gts=_known(above.speed_max if above else None, source),
        numa_node=_known(gpu.numa, source),
        iommu_group=_known(gpu.group or None, source),
    )


def gpu_paths(gpus: Sequence[Device], devices: Sequence[Device], source: str) -> Fact[tuple[PciPath, ...]]:
    """Paths between GPUs whose bridges are all listed with their buses; absent where there are none."""
    bridges = _by_secondary(devices)
    places = {gpu.address: _place(gpu, bridges) for gpu in gpus}
    placed = [gpu for gpu in gpus if places[gpu.address].root]
    if len(placed) < 2:
        return NOT_PROVIDED
    nodes = {gpu.numa for gpu in gpus if gpu.numa is not None}
    by_address = {device.address: device for device in devices}
    paths = [
        _path(a, b, (places[a.address], places[b.address]), by_address, max(1, len(nodes)), source)
        for a, b in combinations(placed, 2)
    ]
    return known(tuple(paths), source)


def _path(
    a: Device, b: Device, places: tuple[Place, Place], by_address: dict[str, Device], numa_nodes: int, source: str
) -> PciPath:
    shared = shared_bridges(*places)
    bridges = places[0].bridges[shared:] + places[1].bridges[shared:]
    return PciPath(
        a=a.address,
        b=b.address,
        level=level(*places, (a.numa, b.numa), numa_nodes if None not in (a.numa, b.numa) else 0, source),
        bridges=known(bridges, source),
        acs_redirect=_acs([by_address[bridge] for bridge in bridges], source),
    )


def _acs(bridges: Sequence[Device], source: str) -> Fact[tuple[str, ...]]:
    """One bridge that redirects decides; a clean bill needs every bridge with readable capabilities."""
    found = tuple(bridge.address for bridge in bridges if bridge.redirects)
    if found:
        return known(found, source)
    if any(bridge.denied for bridge in bridges):
        return absent("no_permission", "lspci was not run by root", source)
    if all(bridge.redirects is not None or bridge.width_max is not None for bridge in bridges) and bridges:
        return known((), source)
    return absent("not_provided", "the listing does not show the bridges' capabilities", source)


def _by_secondary(devices: Sequence[Device]) -> dict[str, Device]:
    """Bridges by the bus below them, 0000:41."""
    return {f"{device.address[:-8]}:{device.secondary}": device for device in devices if device.secondary}


def _above(device: Device, bridges: dict[str, Device]) -> Device | None:
    return bridges.get(device.bus)


def _place(gpu: Device, bridges: dict[str, Device]) -> Place:
    """No root where a bridge on the way up is not listed."""
    way: list[str] = []
    at: Device | None = _above(gpu, bridges)
    while at is not None and len(way) < _MAX_DEPTH and at.address not in way:
        way.append(at.address)
        following = _above(at, bridges)
        if following is None:
            return Place(f"pci{at.bus}", tuple(reversed(way)))
        at = following
    return Place("", ())


def _window(bars: dict[int, int] | None) -> int | None:
    if not bars:
        return None
    return bars.get(1, bars.get(_DATA_CENTRE_BAR))


def _id_by_name(model: str) -> str:
    row = look_up(canonical(model)) if model else None
    return (row.pci_id or "") if row else ""


def _known(value: T | None, source: str) -> Fact[T]:
    return NOT_PROVIDED if value is None else known(value, source)
