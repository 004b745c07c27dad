"""The files of a simulated machine: walked as a probe would walk them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.sim import build, machine, topology
from tests.sim.conftest import Machines
from tests.sim.machine_gpu import MIB

# Machines on whose bus the cards are to be seen: all but WSL and those without a GPU.
WITH_PCI = [name for name in machine.names() if (loaded := machine.load(name)).gpus and not loaded.system.wsl]


def text(folder: Path, path: str) -> str:
    return (folder / "root" / path).read_text(encoding="utf-8").strip()


def device(folder: Path, bdf: str) -> Path:
    return (folder / "root/sys/bus/pci/devices" / bdf).resolve(strict=True)


def acs_control(config: bytes) -> int | None:
    """The control word of the ACS capability, by walking the list."""
    at = 0x100
    while at:
        (word,) = struct.unpack_from("<I", config, at)
        if word & 0xFFFF == 0x000D:
            return int(struct.unpack_from("<H", config, at + 6)[0])
        at = word >> 20
    return None


@pytest.mark.parametrize("name", WITH_PCI)
def test_every_gpu_hangs_below_its_bridges(machines: Machines, name: str) -> None:
    described = machine.load(name)
    for gpu in described.gpus:
        above = [bridge.at for bridge in topology.places(described)[gpu.bdf].above]
        at = device(machines(name), gpu.bdf)
        assert [parent.name for parent in reversed(at.parents)][-len(above) :] == above or not above
        assert (at / "vendor").read_text() == "0x10de\n"
        assert (at / "device").read_text() == f"0x{gpu.pci_id}\n"


@pytest.mark.parametrize("name", WITH_PCI)
def test_configuration_space_agrees_with_the_machine_file(machines: Machines, name: str) -> None:
    described = machine.load(name)
    bridges = {bridge.at: bridge for place in topology.places(described).values() for bridge in place.above}
    for bdf, bridge in bridges.items():
        config = (device(machines(name), bdf) / "config").read_bytes()
        assert len(config) == 4096
        assert acs_control(config) == (None if bridge.acs is None else int(bridge.acs, 16))
        assert config[0x0E] == 1


def test_others_than_root_see_64_bytes(tmp_path: Path) -> None:
    folder = build.build("rtx4090x2", tmp_path / "machine", privileged=False)
    assert len((device(folder, "0000:00:01.1") / "config").read_bytes()) == 64


def test_bar1_and_link(machines: Machines) -> None:
    at = device(machines("rtx4090x2"), "0000:02:00.0")
    first, last, _ = ((at / "resource").read_text().splitlines()[1]).split()
    assert int(last, 16) - int(first, 16) + 1 == 32768 * MIB
    assert (at / "current_link_speed").read_text() == "2.5 GT/s PCIe\n"
    assert (at / "max_link_speed").read_text() == "16.0 GT/s PCIe\n"
    assert (at / "current_link_width").read_text() == "8\n"
    assert (at / "driver").resolve().name == "nvidia"


def test_every_address_of_the_tree_is_a_device(machines: Machines) -> None:
    """A typing mistake in a machine file would leave a device out."""
    for name in machine.names():
        for bdf in topology.places(machine.load(name)):
            assert device(machines(name), bdf).name == bdf


@pytest.mark.parametrize(("name", "kind"), [("rtx4090x2", "DMA-FQ"), ("h100x8-nvswitch", "identity")])
def test_iommu_group(machines: Machines, name: str, kind: str) -> None:
    for gpu in machine.load(name).gpus:
        group = (device(machines(name), gpu.bdf) / "iommu_group").resolve(strict=True)
        assert (group / "type").read_text() == f"{kind}\n"
        assert gpu.bdf in {path.name for path in (group / "devices").iterdir()}


def test_without_iommu_there_are_no_groups(machines: Machines) -> None:
    assert not (device(machines("l40sx4-two-sockets"), "0000:18:00.0") / "iommu_group").exists()
    assert list((machines("l40sx4-two-sockets") / "root/sys/class/iommu").iterdir()) == []


def test_driver_files(machines: Machines) -> None:
    open_modules, closed = machines("rtx4090x2"), machines("t4x2-vm")
    assert "NVIDIA UNIX Open Kernel Module for x86_64  580.95.05" in text(open_modules, "proc/driver/nvidia/version")
    assert "NVIDIA UNIX x86_64 Kernel Module  535.183.01" in text(closed, "proc/driver/nvidia/version")
    assert text(closed, "sys/module/nvidia/version") == "535.183.01"
    assert (open_modules / "root/dev/nvidia1").exists()
    assert (open_modules / "root/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1").resolve().name.endswith(".580.95.05")


def test_wsl_has_no_nvidia_devices(machines: Machines) -> None:
    root = machines("wsl2") / "root"
    assert (root / "dev/dxg").exists()
    assert (root / "usr/lib/wsl/lib/libcuda.so.1").exists()
    assert not (root / "dev/nvidiactl").exists()
    assert not (root / "proc/driver/nvidia").exists()
    assert "microsoft" in text(machines("wsl2"), "proc/version")


def test_a_stuck_process(machines: Machines) -> None:
    folder = machines("wedged-driver")
    assert text(folder, "proc/4101380/stat").startswith("4101380 (nvidia-smi) D ")
    assert "State:\tD (disk sleep)" in text(folder, "proc/4101380/status")


def test_memory_and_shared_memory(machines: Machines) -> None:
    folder = machines("wsl2")
    assert f"MemTotal:       {32042 * 1024:>8} kB" in text(folder, "proc/meminfo")
    assert text(folder, "dev/shm.statvfs").split() == [str(16021 * MIB)] * 2


def test_infiniband_and_network(machines: Machines) -> None:
    folder = machines("h100x8-nvswitch")
    assert len(list((folder / "root/sys/class/infiniband").iterdir())) == 8
    assert text(folder, "sys/class/infiniband/mlx5_3/ports/1/state") == "4: ACTIVE"
    assert text(folder, "sys/class/net/eno3/operstate") == "up"
    assert (folder / "root/sys/class/infiniband/mlx5_0/device/numa_node").read_text() == "0\n"


@pytest.mark.parametrize("name", machine.names())
def test_every_link_of_sys_resolves_inside(machines: Machines, name: str) -> None:
    root = (machines(name) / "root").resolve()
    for path in (root / "sys").rglob("*"):
        if path.is_symlink():
            assert path.resolve(strict=True).is_relative_to(root)


@pytest.mark.parametrize(("name", "slot"), [("h100x8-nvswitch", 2), ("a100x8-nvswitch", 1), ("rtx4090x2", 1)])
def test_bar1_is_in_the_slot_where_the_card_has_it(machines: Machines, name: str, slot: int) -> None:
    """Hopper's BAR0 has 64 bits and takes two of the kernel's slots."""
    gpu = machine.load(name).gpus[0]
    lines = (device(machines(name), gpu.bdf) / "resource").read_text().splitlines()
    sizes = [int(end, 16) - int(start, 16) + 1 for start, end, _ in map(str.split, lines)]
    assert sizes[slot] == (gpu.bar1_mib or 0) * MIB
    assert sizes[0] == 16 * MIB


@pytest.mark.parametrize("name", machine.names())
def test_names_of_processes_are_as_short_as_the_kernel_makes_them(machines: Machines, name: str) -> None:
    names = [file.read_text().strip() for file in (machines(name) / "root/proc").glob("[0-9]*/comm")]
    assert all(0 < len(comm) <= machine.COMM_LENGTH for comm in names)
