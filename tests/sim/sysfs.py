"""/sys apart from the bus: network, InfiniBand, board, modules, NUMA nodes, cgroup."""

from __future__ import annotations

from tests.sim import sysfs_pci, topology
from tests.sim.machine import Infiniband, Machine, Nic
from tests.sim.machine_gpu import MIB
from tests.sim.tree import Tree

CGROUP = "/sys/fs/cgroup"


def write(tree: Tree, machine: Machine) -> None:
    paths = {device.bdf: device.path for device in sysfs_pci.devices(machine)}
    for folder in ("net", "infiniband", "dmi", "drm", "nvidia"):
        tree.folder(f"/sys/class/{folder}")
    for nic in (Nic(name="lo", mtu=65536, type=772, address="00:00:00:00:00:00", speed_mbps=0), *machine.system.nics):
        _nic(tree, nic, paths.get(nic.bdf or ""))
    for card in machine.system.infiniband:
        _infiniband(tree, card, paths.get(card.bdf))
    _board(tree, machine)
    _modules(tree, machine)
    _nodes(tree, machine)
    _cgroup(tree, machine)


def _nic(tree: Tree, nic: Nic, device: str | None) -> None:
    at = f"/sys/devices/virtual/net/{nic.name}" if device is None else f"{device}/net/{nic.name}"
    tree.write(f"{at}/operstate", "unknown" if nic.name == "lo" else "up" if nic.up else "down")
    tree.write(f"{at}/carrier", int(nic.up))
    tree.write(f"{at}/mtu", nic.mtu)
    tree.write(f"{at}/type", nic.type)
    tree.write(f"{at}/address", nic.address)
    flags = 0x9 if nic.name == "lo" else 0x1003 if nic.up else 0x1002
    tree.write(f"{at}/flags", hex(flags))
    if nic.speed_mbps:
        tree.write(f"{at}/speed", nic.speed_mbps if nic.up else -1)
    if device is not None:
        tree.link(f"{at}/device", device)
    tree.link(f"/sys/class/net/{nic.name}", at)


def _infiniband(tree: Tree, card: Infiniband, device: str | None) -> None:
    at = f"{device or '/sys/devices/virtual'}/infiniband/{card.name}"
    tree.write(f"{at}/node_type", "1: CA")
    tree.write(f"{at}/fw_ver", "28.39.3004")
    port = f"{at}/ports/1"
    tree.write(f"{port}/state", card.state)
    tree.write(f"{port}/phys_state", "5: LinkUp" if "ACTIVE" in card.state else "3: Disabled")
    tree.write(f"{port}/rate", card.rate)
    tree.write(f"{port}/link_layer", card.link_layer)
    tree.write(f"{port}/gid_attrs/types/0", "IB/RoCE v1")
    if device is not None:
        tree.link(f"{at}/device", device)
    tree.link(f"/sys/class/infiniband/{card.name}", at)


def _board(tree: Tree, machine: Machine) -> None:
    system = machine.system
    if system.wsl:
        return  # WSL has no DMI tables
    at = "/sys/devices/virtual/dmi/id"
    for name, value in (
        ("sys_vendor", system.dmi_vendor),
        ("product_name", system.dmi_product),
        ("board_vendor", system.dmi_vendor),
        ("board_name", system.dmi_board),
        ("chassis_vendor", system.dmi_vendor),
        ("bios_vendor", "American Megatrends Inc."),
        ("bios_version", "1904"),
        ("bios_date", "08/29/2024"),
    ):
        tree.write(f"{at}/{name}", value)
    tree.link("/sys/class/dmi/id", at)


def _modules(tree: Tree, machine: Machine) -> None:
    tree.folder("/sys/module")
    driver = machine.driver
    names = list(machine.system.modules)
    if driver is not None and driver.loaded and not machine.system.wsl:
        names += ["nvidia", "nvidia_modeset", "nvidia_drm"]
        names += ["nvidia_uvm"] if driver.uvm else []
        names += ["nvidia_peermem"] if driver.peermem else []
    for name in names:
        tree.write(f"/sys/module/{name}/initstate", "live")
        tree.write(f"/sys/module/{name}/refcnt", "1")
        if name.startswith("nvidia") and driver is not None:
            tree.write(f"/sys/module/{name}/version", driver.kernel_version)
            tree.write(f"/sys/module/{name}/taint", "OE" if driver.flavour == "open" else "POE")
    if "nvidia_uvm" in names:
        tree.write("/sys/module/nvidia_uvm/parameters/uvm_disable_hmm", "N")


def _nodes(tree: Tree, machine: Machine) -> None:
    nodes = machine.system.cpu.nodes
    online = f"0-{len(nodes) - 1}" if len(nodes) > 1 else "0"
    last = max(number for listed in nodes for number in topology.cpus(listed))
    tree.write("/sys/devices/system/node/online", online)
    tree.write("/sys/devices/system/node/has_cpu", online)
    for name in ("online", "present", "possible"):
        tree.write(f"/sys/devices/system/cpu/{name}", f"0-{last}")
    kib = machine.system.memory_mib * 1024 // len(nodes)
    for node, listed in enumerate(nodes):
        at = f"/sys/devices/system/node/node{node}"
        tree.write(f"{at}/cpulist", listed)
        tree.write(f"{at}/distance", " ".join("10" if other == node else "21" for other in range(len(nodes))))
        tree.write(f"{at}/meminfo", f"Node {node} MemTotal:       {kib} kB\nNode {node} MemFree:        {kib // 2} kB")


def _cgroup(tree: Tree, machine: Machine) -> None:
    system = machine.system
    tree.write(f"{CGROUP}/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc")
    # Inside a container the cgroup namespace makes the container's own group the root of the tree.
    at = CGROUP if system.container else CGROUP + system.cgroup.path
    tree.write(f"{at}/memory.max", system.cgroup.memory_max)
    tree.write(f"{at}/memory.high", "max")
    tree.write(f"{at}/memory.swap.max", "max")
    tree.write(f"{at}/memory.current", system.cgroup.memory_current_mib * MIB)
    tree.write(f"{at}/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0")
    tree.write(f"{at}/pids.max", system.cgroup.pids_max)
    tree.write(f"{at}/pids.current", "312")
    tree.write(f"{at}/cpu.max", "max 100000")
