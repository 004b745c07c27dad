"""/sys/bus/pci and /sys/kernel/iommu_groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.sim import topology
from tests.sim.machine import Bridge, Machine
from tests.sim.machine_gpu import MIB, Gpu
from tests.sim.pci_config import Config, Link, config_space
from tests.sim.tree import Tree

SPEEDS = {gen: f"{rate} GT/s PCIe" for gen, rate in enumerate(("2.5", "5.0", "8.0", "16.0", "32.0", "64.0"), start=1)}

CLASS_VGA, CLASS_3D, CLASS_AUDIO = 0x030000, 0x030200, 0x040300
CLASS_BRIDGE, CLASS_ETHERNET, CLASS_INFINIBAND, CLASS_SWITCH = 0x060400, 0x020000, 0x020700, 0x068000

NVIDIA = 0x10DE
_HOPPER = 9  # NVML_DEVICE_ARCH_HOPPER


@dataclass(frozen=True)
class Device:
    """A function on the bus."""

    bdf: str
    above: tuple[str, ...]  # addresses of the bridges above it
    numa: int
    config: Config
    driver: str | None = None
    bar1_mib: int = 0
    aer: tuple[int, int] = (0, 0)  # correctable, fatal
    wide_registers: bool = False  # BAR0 has 64 bits

    @property
    def path(self) -> str:
        return "/".join((f"/sys/devices/pci{(self.above or (self.bdf,))[0][:7]}", *self.above, self.bdf))


def devices(machine: Machine) -> list[Device]:
    """Everything in the tree of the machine file that is described somewhere, bridges included."""
    return sorted(_devices(machine), key=lambda device: device.bdf)


def _devices(machine: Machine) -> Iterator[Device]:
    known = {device.bdf: device for device in _endpoints(machine)}
    bridges = {bridge.at: bridge for place in topology.places(machine).values() for bridge in place.above}
    for bdf, place in topology.places(machine).items():
        above = tuple(bridge.at for bridge in place.above)
        if bdf in bridges:
            yield _bridge(bridges[bdf], above, place.numa if above else bridges[bdf].numa)
        if bdf in known:
            yield replace(known[bdf], above=above, numa=place.numa)
        audio = f"{bdf[:-1]}1"
        if audio in known:
            yield replace(known[audio], above=above, numa=place.numa)


def _bridge(bridge: Bridge, above: tuple[str, ...], numa: int) -> Device:
    link = Link(bridge.gen, bridge.width, bridge.max_gen or bridge.gen, bridge.max_width or bridge.width)
    below = [int((item if isinstance(item, str) else item.at)[5:7], 16) for item in bridge.below]
    secondary = min(below, default=0)
    config = Config(
        vendor=int(bridge.pci_id[:4], 16),
        device=int(bridge.pci_id[4:], 16),
        class_code=CLASS_BRIDGE,
        port=bridge.kind,
        link=link,
        buses=(int(bridge.at[5:7], 16), secondary, max(below, default=secondary)),
        acs=None if bridge.acs is None else int(bridge.acs, 16),
    )
    return Device(bridge.at, above, numa, config, driver="pcieport")


def _endpoints(machine: Machine) -> Iterator[Device]:
    loaded = machine.driver is not None and machine.driver.loaded
    other = "nouveau" if "nouveau" in machine.system.modules else None
    for gpu in machine.gpus:
        yield _gpu(gpu, "nvidia" if loaded else other)
        if gpu.vga:  # a graphics card sends sound through its display outputs
            config = Config(vendor=NVIDIA, device=0x22BA, class_code=CLASS_AUDIO)
            yield Device(f"{gpu.bdf[:-1]}1", (), -1, config, "snd_hda_intel")
    for switch in machine.nvswitches:
        config = Config(NVIDIA, int(switch.pci_id, 16), CLASS_SWITCH, link=Link(3, 2, 4, 2))
        yield Device(switch.bdf, (), -1, config, "nvidia-nvswitch")
    infiniband = {card.bdf for card in machine.system.infiniband}
    for card in machine.system.infiniband:
        code = CLASS_INFINIBAND if card.link_layer == "InfiniBand" else CLASS_ETHERNET
        config = Config(int(card.pci_id[:4], 16), int(card.pci_id[4:], 16), code, link=Link(5, 16, 5, 16))
        yield Device(card.bdf, (), -1, config, "mlx5_core")
    for nic in machine.system.nics:
        if nic.bdf is not None and nic.bdf not in infiniband:
            config = Config(int(nic.pci_id[:4], 16), int(nic.pci_id[4:], 16), CLASS_ETHERNET, link=Link(3, 1, 3, 1))
            yield Device(nic.bdf, (), -1, config, "igc")


def _gpu(gpu: Gpu, driver: str | None) -> Device:
    pcie = gpu.pcie
    link = None if pcie is None else Link(pcie.gen, pcie.width, pcie.gpu_max_gen, pcie.gpu_max_width)
    config = Config(
        vendor=NVIDIA,
        device=int(gpu.pci_id, 16),
        class_code=CLASS_VGA if gpu.vga else CLASS_3D,
        link=link,
        subsystem=(int(gpu.subsystem[:4], 16), int(gpu.subsystem[4:], 16)),
        acs=0 if gpu.architecture >= 9 else None,
        rebar_mib=gpu.bar1_mib,
        rebar_max_mib=1 << (gpu.memory.total_mib - 1).bit_length() if gpu.rebar_supported else 0,
    )
    aer = (0, 0) if pcie is None else (pcie.aer_correctable, pcie.aer_fatal)
    # Hopper's register window has 64 bits and takes two lines, so that BAR1 is in the third.
    return Device(gpu.bdf, (), -1, config, driver, gpu.bar1_mib or 0, aer, gpu.architecture == _HOPPER)


def write(tree: Tree, machine: Machine, *, privileged: bool) -> None:
    """The whole bus."""
    tree.folder("/sys/bus/pci/devices")
    for position, device in enumerate(devices(machine)):
        _identity(tree, device, privileged=privileged)
        _resources(tree, device, position)
        _link(tree, device)
        _errors(tree, device)
        tree.link(f"/sys/bus/pci/devices/{device.bdf}", device.path)
        if device.driver is not None:
            tree.folder(f"/sys/bus/pci/drivers/{device.driver}")
            tree.link(f"{device.path}/driver", f"/sys/bus/pci/drivers/{device.driver}")
            tree.link(f"/sys/bus/pci/drivers/{device.driver}/{device.bdf}", device.path)
    _groups(tree, machine)


def _identity(tree: Tree, device: Device, *, privileged: bool) -> None:
    config, at = device.config, device.path
    tree.write(f"{at}/vendor", f"0x{config.vendor:04x}")
    tree.write(f"{at}/device", f"0x{config.device:04x}")
    tree.write(f"{at}/class", f"0x{config.class_code:06x}")
    tree.write(f"{at}/subsystem_vendor", f"0x{config.subsystem[0]:04x}")
    tree.write(f"{at}/subsystem_device", f"0x{config.subsystem[1]:04x}")
    tree.write(f"{at}/revision", "0xa1")
    tree.write(f"{at}/enable", "1")
    tree.write(f"{at}/numa_node", device.numa)
    tree.write(f"{at}/power_state", "D0")
    tree.write(f"{at}/config", config_space(config, privileged=privileged))
    tree.write(f"{at}/uevent", f"PCI_CLASS={config.class_code:X}\nPCI_SLOT_NAME={device.bdf}")
    if config.class_code == CLASS_VGA:
        tree.write(f"{at}/boot_vga", "0")


def _resources(tree: Tree, device: Device, position: int) -> None:
    """One line a region: first address, last address, flags. A 64-bit region takes two lines."""
    lines = ["0x0000000000000000 0x0000000000000000 0x0000000000000000"] * 13
    if device.config.class_code in {CLASS_VGA, CLASS_3D}:
        # A BAR is aligned to its size; one terabyte for each device keeps them apart.
        window, other = (position + 1) << 40, ((position + 1) << 40) + (1 << 39)
        if device.wide_registers:
            lines[0] = _region(other + (1 << 30), 16 * MIB, 0x14220C)
        else:
            lines[0] = _region(0xA0000000 + position * (16 * MIB), 16 * MIB, 0x40200)
        second = 2 if device.wide_registers else 1
        if device.bar1_mib:
            lines[second] = _region(window, device.bar1_mib * MIB, 0x14220C)
        lines[second + 2] = _region(other, 32 * MIB, 0x14220C)
    tree.write(f"{device.path}/resource", "\n".join(lines))


def _region(first: int, size: int, flags: int) -> str:
    return f"0x{first:016x} 0x{first + size - 1:016x} 0x{flags:016x}"


def _link(tree: Tree, device: Device) -> None:
    link = device.config.link
    if link is None:
        return
    tree.write(f"{device.path}/current_link_speed", SPEEDS[link.gen])
    tree.write(f"{device.path}/current_link_width", link.width)
    tree.write(f"{device.path}/max_link_speed", SPEEDS[link.max_gen])
    tree.write(f"{device.path}/max_link_width", link.max_width)


def _errors(tree: Tree, device: Device) -> None:
    correctable, fatal = device.aer
    tree.write(
        f"{device.path}/aer_dev_correctable",
        f"RxErr {correctable}\nBadTLP 0\nBadDLLP 0\nRollover 0\nTimeout 0\nNonFatalErr 0\nCorrIntErr 0\n"
        f"HeaderOF 0\nTOTAL_ERR_COR {correctable}",
    )
    names = "Undefined DLP SDES TLP FCP CmpltTO CmpltAbrt UnxCmplt RxOF MalfTLP ECRC UnsupReq ACSViol UncorrIntErr"
    for kind, count in (("fatal", fatal), ("nonfatal", 0)):
        rows = [f"{name} {count if name == 'CmpltTO' else 0}" for name in names.split()]
        tree.write(f"{device.path}/aer_dev_{kind}", "\n".join((*rows, f"TOTAL_ERR_{kind.upper()} {count}")))


def _groups(tree: Tree, machine: Machine) -> None:
    iommu = machine.system.iommu
    tree.folder("/sys/class/iommu")
    for unit in iommu.units:
        tree.folder(f"/sys/devices/virtual/iommu/{unit}")
        tree.link(f"/sys/class/iommu/{unit}", f"/sys/devices/virtual/iommu/{unit}")
    tree.folder("/sys/kernel/iommu_groups")
    if not iommu.units:
        return
    shared = {bdf: f"shared-{number}" for number, group in enumerate(iommu.shared_groups) for bdf in group}
    numbers: dict[str, int] = {}
    for device in devices(machine):
        # The functions of one card share a group: they cannot be told apart on the bus.
        number = numbers.setdefault(shared.get(device.bdf, device.bdf[:-2]), len(numbers))
        group = f"/sys/kernel/iommu_groups/{number}"
        tree.write(f"{group}/type", iommu.type)
        tree.write(f"{group}/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi")
        tree.folder(f"{group}/devices")
        tree.link(f"{group}/devices/{device.bdf}", device.path)
        tree.link(f"{device.path}/iommu_group", group)
