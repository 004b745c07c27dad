"""The GPUs of the machine: NVML first, then nvidia-smi, then the PCI bus; completed by /sys, CUDA and the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from gpudoctor.data.hardware import HardwareRow, look_up, named_by_pci_id
from gpudoctor.derive.integrated import integrated
from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, absent_like, known
from gpudoctor.model.facts import CudaDevice, Facts, Gpu, GpuProcess, Gpus, HostMemory, PciGpu

T = TypeVar("T")
_LINKS_OF_A_BRIDGE = 4
TABLE = "hardware table"
_GENERATION_BY_GTS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}


def derive_gpus(facts: Facts) -> Gpus:
    """Every source joined. The visible ones are added by `with_visible`, which needs the topology of names first."""
    devices = _base(facts)
    listed = devices.or_none()
    if listed is None:
        return Gpus(
            count=_count(facts),
            driver_answers=_driver_answers(facts),
            pci_count=_pci_count(facts),
            device_nodes=_device_nodes(facts),
            devices=devices,
        )
    by_bus = {gpu.bus_id: gpu for gpu in facts.pci.gpus.or_none() or ()}
    cuda = facts.cuda.devices.or_none() or ()
    full = tuple(_complete(gpu, by_bus, cuda, facts.memory) for gpu in listed)
    return Gpus(
        count=_count(facts),
        driver_answers=_driver_answers(facts),
        pci_count=_pci_count(facts),
        device_nodes=_device_nodes(facts),
        devices=known(full, devices.source),
        foreign_processes=_foreign(full),
    )


def with_visible(
    gpus: Gpus, indices: Fact[tuple[int, ...]], count: Fact[int], models: Fact[tuple[str, ...]] = NOT_PROVIDED
) -> Gpus:
    """Add what the workload's process sees, in its order. `models` are names that somebody wrote down."""
    devices, order = gpus.devices.or_none(), indices.or_none()
    if devices is None or order is None:
        missing: Fact[Any] = gpus.devices if devices is None else indices
        return replace(gpus, visible_count=count, visible=absent_like(missing), models=_named(gpus, models, missing))
    by_index = {gpu.index: gpu for gpu in devices}
    visible = tuple(by_index[index] for index in order if index in by_index)
    names = tuple(dict.fromkeys(name for gpu in visible if (name := gpu.name.or_none()) is not None))
    return replace(
        gpus, visible_count=count, visible=known(visible, indices.source), models=known(names, gpus.devices.source)
    )


def _named(gpus: Gpus, models: Fact[tuple[str, ...]], missing: Fact[Any]) -> Fact[tuple[str, ...]]:
    names = tuple(dict.fromkeys(name for gpu in gpus.devices.or_none() or () if (name := gpu.name.or_none())))
    if names:
        return known(names, gpus.devices.source)
    return models if models.known else absent_like(missing)


def _base(facts: Facts) -> Fact[tuple[Gpu, ...]]:
    for source in (facts.nvml.devices, facts.nvidia_smi.gpus):
        if source.known:
            return source
    on_bus = facts.pci.gpus.or_none()
    if on_bus:
        return known(
            tuple(Gpu(index=place, pci_bus_id=known(gpu.bus_id, "sysfs")) for place, gpu in enumerate(on_bus)), "sysfs"
        )
    if on_bus is not None:
        return known((), "sysfs")
    in_matrix = _in_matrix(facts)
    return known(in_matrix, "nvidia-smi") if in_matrix else facts.nvml.devices


def _in_matrix(facts: Facts) -> tuple[Gpu, ...]:
    """A paste may hold nothing but a matrix, which at least counts the GPUs."""
    pairs = [(pair.a, pair.b) for pair in facts.nvidia_smi.topology.or_none() or ()]
    pairs += [(cell.a, cell.b) for cell in facts.nvidia_smi.p2p.or_none() or ()]
    indices = sorted({index for pair in pairs for index in pair})
    name = _only_model(facts)
    return tuple(Gpu(index=index, name=name) for index in indices)


def _only_model(facts: Facts) -> Fact[str]:
    models = facts.nvidia_smi.models.or_none() or ()
    return known(models[0], facts.nvidia_smi.models.source) if len(models) == 1 else absent("not_provided")


def _count(facts: Facts) -> Fact[int]:
    if facts.nvml.count.known:
        return facts.nvml.count
    listed = facts.nvidia_smi.gpus.or_none()
    if listed is None:
        listed = _in_matrix(facts) or None
    elif facts.nvidia_smi.gpus_partial.or_none():
        return absent("not_provided", "the list of GPUs may lack some", facts.nvidia_smi.gpus.source)
    if listed is not None:
        return known(len(listed), "nvidia-smi")
    if facts.cuda.device_count.known:
        return facts.cuda.device_count
    return facts.nvml.count


def _driver_answers(facts: Facts) -> Fact[bool]:
    """No where NVML refused, hung or is missing, and nothing else lists GPUs. A probe that never ran tells nothing."""
    nvml, cuda = facts.nvml, facts.cuda
    count = _count(facts)
    if count.known and (nvml.count.known or facts.nvidia_smi.gpus.known or not cuda.init_error.or_none()):
        return known(value=True, source=count.source)
    if nvml.init_error.or_none() or nvml.stalled_calls.or_none() or nvml.init_error.absent == "timeout":
        return known(value=False, source="nvml")
    return absent_like(count)


def _pci_count(facts: Facts) -> Fact[int]:
    return _map(facts.pci.gpus, len)


def _device_nodes(facts: Facts) -> Fact[int]:
    return _map(facts.driver.device_nodes, len)


def _map(fact: Fact[T], convert: Callable[[T], int]) -> Fact[int]:
    value = fact.or_none()
    if value is None:
        return absent_like(fact)
    return known(convert(value), fact.source)


def _complete(gpu: Gpu, by_bus: dict[str, PciGpu], cuda: tuple[CudaDevice, ...], memory: HostMemory) -> Gpu:
    bus_id = gpu.pci_bus_id.or_none() or ""
    on_bus = by_bus.get(bus_id)
    if on_bus is not None:
        gpu = _with_bus(gpu, on_bus)
    for device in cuda:
        uuid = gpu.uuid.or_none()
        if (bus_id and device.pci_bus_id.or_none() == bus_id) or (uuid and device.uuid.or_none() == uuid):
            gpu = replace(gpu, cuda_index=known(device.index, "cuda"))
    gpu = _with_name(gpu)
    name = gpu.name.or_none()
    row = look_up(name) if name else None
    gpu = _with_table(gpu, name or "", row)
    return integrated(gpu, memory) if row is not None and row.form == "integrated" else gpu


def _with_name(gpu: Gpu) -> Gpu:
    """Where the driver does not answer, the PCI id mostly tells the model."""
    device_id = gpu.pci_device_id.or_none()
    if gpu.name.known or device_id is None:
        return gpu
    name = named_by_pci_id(device_id)
    return replace(gpu, name=known(name, "PCI id")) if name else gpu


def _with_bus(gpu: Gpu, on_bus: PciGpu) -> Gpu:
    def prefer(first: Fact[T], second: Fact[T]) -> Fact[T]:
        return first if first.known or not second.known else second

    speed = on_bus.link_speed_max_gts.or_none()
    generation = _GENERATION_BY_GTS.get(speed) if speed is not None else None
    generation_fact: Fact[int] = known(generation, "sysfs") if generation else absent("not_provided")
    return replace(
        gpu,
        pci_device_id=prefer(gpu.pci_device_id, on_bus.device_id),
        numa_node=prefer(gpu.numa_node, on_bus.numa_node),
        bar1_total_bytes=prefer(gpu.bar1_total_bytes, on_bus.bar1_bytes),
        pcie_width=prefer(gpu.pcie_width, on_bus.link_width),
        pcie_width_max=prefer(gpu.pcie_width_max, _width_of_both(on_bus)),
        pcie_generation_gpu_max=prefer(gpu.pcie_generation_gpu_max, generation_fact),
        pcie_aer_fatal=prefer(gpu.pcie_aer_fatal, on_bus.aer_fatal),
        pcie_aer_correctable=prefer(gpu.pcie_aer_correctable, on_bus.aer_correctable),
    )


def _width_of_both(on_bus: PciGpu) -> Fact[int]:
    """NVML's maximum is of card and slot together; /sys tells each one's own."""
    slot = on_bus.slot_width_max.or_none()
    card = on_bus.link_width_max.or_none()
    if slot is None or card is None or card <= slot:
        return on_bus.link_width_max
    return on_bus.slot_width_max


def _with_table(gpu: Gpu, name: str, row: HardwareRow | None) -> Gpu:
    geforce = row.geforce if row else "GeForce" in name or "TITAN" in name.upper()
    gpu = replace(gpu, geforce=known(geforce, TABLE) if name else absent("not_provided"))
    if row is None:
        unlisted: Fact[int] = absent("not_provided", "this model is not in the hardware table")
        policy: Fact[str] = absent("not_provided", unlisted.detail)
        return replace(gpu, nvlinks_expected=unlisted, pcie_width_gpu_max=unlisted, p2p_policy=policy)
    return replace(
        _with_memory(gpu, row),
        nvlinks_expected=_expected_links(row, gpu.nvlinks_active.or_none()),
        pcie_width_gpu_max=_table_fact(row.pcie_lanes),
        p2p_policy=_table_fact(row.pcie_p2p),
    )


def _with_memory(gpu: Gpu, row: HardwareRow) -> Gpu:
    """A paste that names a card seldom says how much memory it has."""
    if gpu.memory_total_bytes.absent != "not_provided" or not row.vram_mib:
        return gpu
    return replace(gpu, memory_total_bytes=known(row.vram_mib << 20, TABLE))


def _expected_links(row: HardwareRow, active: int | None) -> Fact[int]:
    """A card of up to four links has one bridge for all of them; larger ones may have only some of their bridges."""
    one_bridge = (row.nvlinks_active or 0) <= _LINKS_OF_A_BRIDGE and bool(active)
    if row.form == "card" and not one_bridge:
        return absent("not_applicable", "a card has NVLink only where a bridge is fitted")
    return _table_fact(row.nvlinks_active)


def _table_fact(value: T | None) -> Fact[T]:
    return absent("not_provided", "the hardware table has no value") if value is None else known(value, TABLE)


def _foreign(devices: tuple[Gpu, ...]) -> Fact[tuple[GpuProcess, ...]]:
    """Processes on any GPU that did not start us, each once."""
    lists = [processes for gpu in devices if (processes := gpu.processes.or_none()) is not None]
    if devices and not lists:
        return absent(devices[0].processes.absent or "not_provided", devices[0].processes.detail)
    seen = {
        process.pid: process for processes in lists for process in processes if not process.ancestor_of_us.or_none()
    }
    return known(tuple(seen.values()), "nvml")
