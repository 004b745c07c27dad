"""The lines of one GPU in the compiled machine file; the keys are those that stub/nvml_*.c name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.sim import topology
from tests.sim.machine import Machine
from tests.sim.machine_gpu import MIB, Gpu, GpuProcess, Nvlink

NO_VALUE = (1 << 64) - 1  # NVML_VALUE_NOT_AVAILABLE
NO_INSTANCE = (1 << 32) - 1

PCIE_SPEED_MBPS = {1: 2500, 2: 5000, 3: 8000, 4: 16000, 5: 32000, 6: 64000}

Value = int | str | bool | None
Line = tuple[str, Value]

RECOVERY_ACTION = 230


def gpu_lines(machine: Machine, index: int) -> Iterator[Line]:
    gpu = machine.gpus[index]
    for key, value in (
        *_identity(gpu, index),
        ("gsp_version", machine.driver.kernel_version if machine.driver and gpu.gsp else None),
        # WSL has no device nodes that a minor number could name.
        ("minor", None if machine.system.wsl else index if gpu.minor is None else gpu.minor),
        *_memory(gpu),
        *_pcie(gpu),
        *_load(gpu),
        *_health(gpu),
        *_nvlink(machine, gpu),
        *_fabric(gpu),
        *_affinity(machine, gpu),
        *_processes("", gpu, gpu.processes),
    ):
        yield f"gpu.{index}.{key}", value
    for number, value in _fields(machine, gpu):
        yield f"gpu.{index}.field.{number}", value
    yield from _mig(gpu, index)


def _identity(gpu: Gpu, index: int) -> Iterator[Line]:
    yield "index", index
    yield "name", gpu.name
    yield "uuid", gpu.uuid
    yield "serial", gpu.serial
    yield "bdf", gpu.bdf
    yield "pci_id", f"0x{gpu.pci_id}10de"
    yield "pci_subsystem", f"0x{gpu.subsystem[4:]}{gpu.subsystem[:4]}"
    yield "subclass", 0 if gpu.vga else 2
    yield "brand", gpu.brand
    yield "architecture", gpu.architecture
    yield "compute_capability", gpu.compute_capability.replace(".", ",")
    yield "board_id", int(gpu.bdf[5:7], 16) << 8
    yield "multi_gpu_board", 0
    yield "vbios", "95.02.3C.80.A1"
    yield "virtualization", gpu.virtualization
    yield "memory_numa_node", gpu.memory_numa_node
    yield "addressing_mode", gpu.addressing_mode
    yield "gsp_mode", None if gpu.gsp is None else f"{int(gpu.gsp)},1"
    yield "compute_mode", gpu.compute_mode
    yield "persistence", gpu.persistence
    yield "display_active", gpu.display
    yield "display_mode", gpu.display
    yield "c2c", None if gpu.memory_numa_node is None else 1


def _memory(gpu: Gpu) -> Iterator[Line]:
    memory = gpu.memory
    yield "memory.total", memory.total_mib * MIB
    yield "memory.reserved", memory.reserved_mib * MIB
    yield "memory.used", memory.used_mib * MIB
    yield "memory.free", (memory.total_mib - memory.reserved_mib - memory.used_mib) * MIB
    if gpu.bar1_mib is not None:
        yield "bar1.total", gpu.bar1_mib * MIB
        yield "bar1.used", 1 * MIB


def _pcie(gpu: Gpu) -> Iterator[Line]:
    pcie = gpu.pcie
    if pcie is None:
        return
    yield "pcie.gen", pcie.gen
    yield "pcie.width", pcie.width
    yield "pcie.max_gen", pcie.max_gen
    yield "pcie.max_width", pcie.max_width
    yield "pcie.gpu_max_gen", pcie.gpu_max_gen
    yield "pcie.replays", pcie.replays
    yield "pcie.speed_mbps", PCIE_SPEED_MBPS[pcie.gen]
    yield "pcie.max_speed", pcie.max_gen
    yield "pcie.throughput.0", 0
    yield "pcie.throughput.1", 0


def _load(gpu: Gpu) -> Iterator[Line]:
    if gpu.power is not None:
        yield "power.usage_mw", round(gpu.power.usage_w * 1000)
        yield "power.limit_mw", gpu.power.limit_w * 1000
        yield "power.default_mw", gpu.power.default_w * 1000
        yield "power.range_mw", f"{gpu.power.min_w * 1000},{gpu.power.max_w * 1000}"
        yield "power.managed", 1
    yield "pstate", gpu.pstate
    yield "fan_percent", gpu.fan_percent
    yield "fan.0", gpu.fan_percent
    yield "fans", None if gpu.fan_percent is None else 1
    if gpu.utilization is not None:
        # NVML cannot tell the load of a GPU in MIG mode.
        yield "utilization", None if gpu.mig and gpu.mig.enabled else f"{gpu.utilization},0"
        for engine in ("encoder", "decoder", "jpeg", "ofa"):
            yield engine, "0,167000"
    yield "energy_mj", gpu.energy_mj
    yield "clock_reasons", None if gpu.clock_reasons is None else int(gpu.clock_reasons, 16)
    yield "clock_reasons_supported", None if gpu.clock_reasons is None else 0x1FF
    for domain, (now, most) in enumerate(zip(gpu.clocks_mhz, gpu.max_clocks_mhz, strict=True)):
        yield f"clock.{domain}", now
        yield f"clock_max.{domain}", most
    for policy in (0, 1):
        yield f"violation.{policy}", 0


def _health(gpu: Gpu) -> Iterator[Line]:
    yield "temperature", gpu.temperature
    if gpu.slowdown_c is not None:
        for threshold, above in ((0, 5), (1, 0), (3, -5)):
            yield f"threshold.{threshold}", gpu.slowdown_c + above
    ecc = gpu.ecc
    if ecc is not None:
        yield "ecc_mode", f"{int(ecc.enabled)},{int(ecc.enabled)}"
        yield "ecc_default", 1
    if ecc is not None and ecc.enabled:
        yield "ecc.0.0", ecc.corrected_volatile
        yield "ecc.0.1", ecc.corrected_aggregate
        yield "ecc.1.0", ecc.uncorrected_volatile
        yield "ecc.1.1", ecc.uncorrected_aggregate
        yield "sram_threshold", ecc.sram_threshold_exceeded if gpu.architecture >= 7 else None
    rows = gpu.remapped
    if rows is not None:
        yield "remapped", f"{rows.corrected},{rows.uncorrected},{int(rows.pending)},{int(rows.failed)}"
        yield "repair", "0,0" if gpu.architecture >= 9 else None
    pages = gpu.retired
    if pages is not None:
        yield "retired.0", pages.single_bit
        yield "retired.1", pages.double_bit
        yield "retired.pending", pages.pending


def _nvlink(machine: Machine, gpu: Gpu) -> Iterator[Line]:
    nvlink = gpu.nvlink
    if nvlink is None:
        return
    yield "nvlink.count", nvlink.count
    for link in range(nvlink.count):
        for key, value in _link(machine, gpu, nvlink, link):
            yield f"nvlink.{link}.{key}", value


def _link(machine: Machine, gpu: Gpu, nvlink: Nvlink, link: int) -> Iterator[Line]:
    peer = topology.link_peer(gpu, link)
    yield "state", int(peer is not None)
    yield "version", nvlink.version
    for capability, value in enumerate((1, 1, 1, 1, 0, 1)):
        yield f"capability.{capability}", value if peer is not None else 0
    if peer is None:
        return
    yield "remote_type", 2 if peer == "switch" else 0
    if peer == "switch":
        switches = machine.nvswitches
        yield "remote", switches[link % len(switches)].bdf if switches else "ffff:ff:1f.0"
    else:
        yield "remote", machine.gpus[int(peer)].bdf
    yield "errors.0", nvlink.replays
    yield "errors.1", 0
    yield "errors.2", nvlink.crc_errors
    yield "errors.3", 0


def _fabric(gpu: Gpu) -> Iterator[Line]:
    fabric = gpu.fabric
    if fabric is None:
        return
    yield "fabric.state", fabric.state
    yield "fabric.status", fabric.status
    yield "fabric.clique", fabric.clique
    yield "fabric.cluster", fabric.cluster
    yield "fabric.health", fabric.health
    yield "fabric.summary", fabric.summary


def _mask(numbers: list[int]) -> str:
    words = [0] * (max(numbers, default=0) // 64 + 1)
    for number in numbers:
        words[number // 64] |= 1 << number % 64
    return ",".join(f"{word:x}" for word in words)


def _affinity(machine: Machine, gpu: Gpu) -> Iterator[Line]:
    if machine.system.cpu.hypervisor:
        return  # "not supported" in many virtual machines
    mask = _mask(topology.cpus(topology.cpu_list(machine, gpu)))
    node = topology.numa_node(machine, gpu)
    for scope in (0, 1):
        yield f"cpu_mask.{scope}", mask
        yield f"node_mask.{scope}", _mask([node]) if node >= 0 else None


def _processes(prefix: str, gpu: Gpu, processes: Iterable[GpuProcess]) -> Iterator[Line]:
    for kind in ("compute", "graphics", "mps"):
        listed = [process for process in processes if process.kind == kind]
        yield f"{prefix}process.{kind}.count", len(listed)
        for number, process in enumerate(listed):
            used = NO_VALUE if process.used_mib is None else process.used_mib * MIB
            inside = gpu.mig.devices[process.mig] if gpu.mig and process.mig is not None else None
            instances = (inside.gpu_instance, inside.compute_instance) if inside else (NO_INSTANCE, NO_INSTANCE)
            yield f"{prefix}process.{kind}.{number}", f"{process.pid},{used},{instances[0]},{instances[1]}"


def _fields(machine: Machine, gpu: Gpu) -> Iterator[Line]:
    yield "94.0", gpu.pcie.replays if gpu.pcie else None
    yield "83.0", gpu.energy_mj
    yield f"{RECOVERY_ACTION}.0", gpu.recovery_action
    if gpu.power:
        for field, watts in ((185, gpu.power.usage_w), (186, gpu.power.usage_w), (190, gpu.power.limit_w)):
            yield f"{field}.0", round(watts * 1000)
    if gpu.remapped:
        rows = gpu.remapped
        for field, count in ((142, rows.corrected), (143, rows.uncorrected), (144, rows.pending), (145, rows.failed)):
            yield f"{field}.0", int(count)
    nvlink = gpu.nvlink
    if nvlink is None:
        return
    yield "91.0", nvlink.count
    active = topology.active_links(gpu)
    yield "90.0", nvlink.speed_mbps if active else 0
    for field, count in ((38, nvlink.crc_errors), (52, nvlink.replays), (59, 0)):
        yield f"{field}.0", count
    for link in range(nvlink.count):
        yield f"164.{link}", nvlink.speed_mbps if link in active else 0
        yield f"165.{link}", int(link in active)
        yield f"166.{link}", nvlink.version
        for field in (138, 139, 140, 141):
            yield f"{field}.{link}", 0


def _mig(gpu: Gpu, index: int) -> Iterator[Line]:
    mig = gpu.mig
    if mig is None:
        yield f"gpu.{index}.mig_max", 0
        return
    yield f"gpu.{index}.mig_mode", f"{int(mig.enabled)},{int(mig.pending)}"
    yield f"gpu.{index}.mig_max", 7
    yield f"gpu.{index}.mig_count", len(mig.devices)
    for number, device in enumerate(mig.devices):
        prefix = f"mig.{index}.{number}."
        yield f"{prefix}name", device.name
        yield f"{prefix}uuid", device.uuid
        yield f"{prefix}gpu_instance", device.gpu_instance
        yield f"{prefix}compute_instance", device.compute_instance
        yield f"{prefix}slices", device.slices
        yield f"{prefix}memory.total", device.total_mib * MIB
        yield f"{prefix}memory.reserved", 0
        yield f"{prefix}memory.used", device.used_mib * MIB
        yield f"{prefix}memory.free", (device.total_mib - device.used_mib) * MIB
        if gpu.bar1_mib is not None:  # eighths of the whole, like the memory
            yield f"{prefix}bar1.total", gpu.bar1_mib * round(8 * device.total_mib / gpu.memory.total_mib) // 8 * MIB
            yield f"{prefix}bar1.used", 0
        yield from _processes(prefix, gpu, [process for process in gpu.processes if process.mig == number])
