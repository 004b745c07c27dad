"""NVIDIA GPUs on the PCI bus, whatever driver they have, and the paths between them: /sys/bus/pci, /sys/class/iommu."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TypeVar

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import names_in, parse_fact, read_fact, text_or
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import Pci, PciGpu, PciPath
from gpudoctor.probes._pci_paths import SOURCE, Located, PathFinder
from gpudoctor.readers.numbers import integer, number_list
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

T = TypeVar("T")

DEVICES = "/sys/bus/pci/devices"
_BUSES = "/sys/bus"
_NVIDIA = "0x10de"
_GPU_CLASSES = ("0x0300", "0x0302")  # VGA controller, 3D controller
_NVSWITCH_CLASS = "0x0680"
_MAX_GPUS = 64
_IOMMU_KINDS = (("dmar", "intel"), ("ivhd", "amd"), ("smmu3", "arm_smmu"), ("arm-smmu", "arm_smmu"))


def collect(host: Host, request: Request) -> Pci:  # noqa: ARG001 - every probe is called alike
    """Everything that /sys shows without a driver. Costs a few milliseconds for eight GPUs."""
    active, kinds = _iommu(host)
    try:
        names = _addresses(host)
    except HostError as error:
        return Pci(
            gpus=error.fact(DEVICES),
            paths=error.fact(DEVICES),
            nvswitches=error.fact(DEVICES),
            iommu_active=active,
            iommu_kinds=kinds,
        )
    classes = _nvidia_classes(host, names)
    addresses = [
        name for name, kind in classes.items() if kind.startswith(_GPU_CLASSES) and not _is_virtual(host, name)
    ]
    gpus = [_gpu(host, address) for address in sorted(addresses, key=address_order)[:_MAX_GPUS]]
    found: Fact[tuple[PciGpu, ...]] = known(tuple(gpu for gpu, _ in gpus), SOURCE)
    paths: Fact[tuple[PciPath, ...]] = known(_paths(host, gpus), SOURCE)
    if not gpus and host.exists("/dev/dxg"):
        found = absent("not_applicable", "under WSL the GPUs are not on the virtual bus", SOURCE)
        paths = absent_like(found)
    return Pci(
        gpus=found,
        paths=paths,
        nvswitches=known(sum(1 for kind in classes.values() if kind.startswith(_NVSWITCH_CLASS)), SOURCE),
        iommu_active=active,
        iommu_kinds=kinds,
    )


def _addresses(host: Host) -> tuple[str, ...]:
    """What is on the bus. A kernel that shows other buses and no PCI has none: a small virtual machine, mostly."""
    try:
        return host.list_dir(DEVICES)
    except HostError as error:
        if error.reason == "not_applicable" and names_in(host, _BUSES):
            return ()
        raise


def _nvidia_classes(host: Host, names: tuple[str, ...]) -> dict[str, str]:
    """Class of every device of NVIDIA's, by address."""
    mine = [name for name in names if is_address(name) and text_or(host, f"{DEVICES}/{name}/vendor") == _NVIDIA]
    return {name: text_or(host, f"{DEVICES}/{name}/class") for name in mine}


def _is_virtual(host: Host, address: str) -> bool:
    """Whether it is a virtual function of a card that is here too (a vGPU host): no GPU of its own."""
    return host.exists(f"{DEVICES}/{address}/physfn")


def _paths(host: Host, gpus: list[tuple[PciGpu, Place]]) -> tuple[PciPath, ...]:
    located = [Located(gpu.bus_id, place, gpu.numa_node.or_none()) for gpu, place in gpus]
    finder = PathFinder(host, DEVICES, _numa_nodes(host))
    return tuple(finder.path(a, b) for a, b in combinations(located, 2))


def _numa_nodes(host: Host) -> int:
    """Nodes with CPUs; a kernel without NUMA support has no list of them, and one node."""
    listed = read_fact(host, "/sys/devices/system/node/has_cpu", number_list).or_none()
    return max(1, len(listed or ()))


def _gpu(host: Host, address: str) -> tuple[PciGpu, Place]:
    base = f"{DEVICES}/{address}"

    def read(name: str, parse: Callable[[str], T]) -> Fact[T]:
        return read_fact(host, f"{base}/{name}", parse, SOURCE)

    place = _place(host, base)
    bars = read("resource", bar_sizes)
    slot_width, slot_speed = _slot(host, place)
    group, kind = _iommu_group(host, base)
    gpu = PciGpu(
        bus_id=address,
        device_id=read("device", _device_id),
        driver=_driver(host, base),
        bridges=_bridges(place),
        bar0_bytes=_part(bars, 0),
        bar1_bytes=_part(bars, 1),
        link_width=read("current_link_width", _width),
        link_width_max=read("max_link_width", _width),
        link_speed_gts=read("current_link_speed", _speed),
        link_speed_max_gts=read("max_link_speed", _speed),
        slot_width_max=slot_width,
        slot_speed_max_gts=slot_speed,
        numa_node=read("numa_node", _numa_node),
        iommu_group=group,
        iommu_type=kind,
        aer_fatal=read("aer_dev_fatal", lambda text: aer_total(text, "TOTAL_ERR_FATAL")),
        aer_correctable=read("aer_dev_correctable", lambda text: aer_total(text, "TOTAL_ERR_COR")),
    )
    return gpu, place


def _place(host: Host, base: str) -> Place:
    try:
        return place_of(host.real_path(base))
    except HostError:
        return Place("", ())


def _bridges(place: Place) -> Fact[tuple[str, ...]]:
    if not place.root:
        return absent("parse_error", "no host bridge in the path of the device", SOURCE)
    return known(place.bridges, SOURCE)


def _part(pair: Fact[tuple[int, int]], index: int) -> Fact[int]:
    values = pair.or_none()
    return known(values[index], SOURCE) if values is not None else absent_like(pair)


def _slot(host: Host, place: Place) -> tuple[Fact[int], Fact[float]]:
    """What the bridge right above the card can do: the slot, riser or switch port."""
    if not place.bridges:
        return (
            absent("not_applicable", "no bridge above the GPU", SOURCE),
            absent("not_applicable", "no bridge above the GPU", SOURCE),
        )
    base = f"{DEVICES}/{place.bridges[-1]}"
    return (
        read_fact(host, f"{base}/max_link_width", _width, SOURCE),
        read_fact(host, f"{base}/max_link_speed", _speed, SOURCE),
    )


def _driver(host: Host, base: str) -> Fact[str]:
    try:
        return known(host.read_link(f"{base}/driver").rsplit("/", 1)[-1], SOURCE)
    except HostError as error:
        return known("", SOURCE) if error.reason == "not_applicable" else error.fact(SOURCE)


def _iommu_group(host: Host, base: str) -> tuple[Fact[str], Fact[str]]:
    """Group and kind of translation. A device without a group is not behind an IOMMU: nothing is translated."""
    try:
        group = host.read_link(f"{base}/iommu_group").rsplit("/", 1)[-1]
    except HostError as error:
        if error.reason == "not_applicable":
            return absent("not_applicable", "not behind an IOMMU", SOURCE), known("none", SOURCE)
        return error.fact(SOURCE), error.fact(SOURCE)
    if not group.isdecimal():
        return absent("parse_error", "not a group number", SOURCE), absent("parse_error", "not a group number", SOURCE)
    try:
        kind = parse_fact(host.read_text(f"/sys/kernel/iommu_groups/{group}/type"), _word, SOURCE)
    except HostError as error:
        kind = error.fact(SOURCE)
        if error.reason == "not_applicable":
            kind = absent("not_supported", "this kernel does not tell the type of an IOMMU group", SOURCE)
    return known(group, SOURCE), kind


def _iommu(host: Host) -> tuple[Fact[bool], Fact[tuple[str, ...]]]:
    """Whether the kernel runs an IOMMU at all, and whose."""
    folder = "/sys/class/iommu"
    try:
        names = host.list_dir(folder)
    except HostError as error:
        if error.reason == "not_applicable" and host.exists("/sys/class"):
            return known(False, folder), known((), folder)
        return error.fact(folder), error.fact(folder)
    kinds = {next((kind for prefix, kind in _IOMMU_KINDS if name.startswith(prefix)), "other") for name in names}
    return known(bool(names), folder), known(tuple(sorted(kinds)), folder)


def _device_id(text: str) -> str:
    return f"{integer(text, 16):04x}"


def _word(text: str) -> str:
    if not text or len(text) > 32 or not text.isprintable():
        raise ValueError("not a word")
    return text


def _numa_node(text: str) -> int:
    node = integer(text)
    if node < 0:
        raise HostError("not_applicable", "the firmware names no NUMA node")
    return node


def _width(text: str) -> int:
    lanes = link_width(text)
    if lanes is None:
        raise HostError("not_supported", "the link does not tell its width")
    return lanes


def _speed(text: str) -> float:
    speed = link_speed_gts(text)
    if speed is None:
        raise HostError("not_supported", "the link does not tell its speed")
    return speed


PROBE = Probe(name="pci", section=Pci, collect=collect)
