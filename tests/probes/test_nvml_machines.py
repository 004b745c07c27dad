"""Every simulated machine through the real nvidia-ml-py: the facts are what the machine file says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gpudoctor.model.fact import Fact
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.nvml import Nvml
from gpudoctor.probes.nvml import PROBE
from tests.probes.simulated import Simulated
from tests.sim import machine, topology
from tests.sim.machine import Machine

Machines = Callable[[str], Simulated]

MIB = 1 << 20
NAMES = machine.names()
MACHINES = {name: machine.load(name) for name in NAMES}
HEALTHY = [
    name
    for name, described in MACHINES.items()
    if described.driver and described.driver.loaded and not described.driver.nvml_init and not described.faults
]


def plain(fact: Fact[object]) -> object:
    """The value, or the reason of its absence."""
    return fact.value if fact.known else f"<{fact.absent}>"


def gpus_of(section: Nvml) -> tuple[Gpu, ...]:
    assert section.devices.known, section.devices.why()
    return section.devices.or_none() or ()


@pytest.fixture(params=HEALTHY)
def examined(request: pytest.FixtureRequest, simulated: Machines) -> tuple[Machine, Nvml]:
    return MACHINES[request.param], simulated(request.param).collect(PROBE, Nvml)


def test_versions_and_count_are_the_drivers(examined: tuple[Machine, Nvml]) -> None:
    described, found = examined
    assert described.driver is not None
    assert plain(found.init_error) == ""
    assert plain(found.driver_version) == described.driver.version
    assert plain(found.cuda_driver_version) == f"{described.driver.cuda // 1000}.{described.driver.cuda % 1000 // 10}"
    assert plain(found.count) == len(described.gpus)
    assert plain(found.stalled_calls) == ()


def test_every_gpu_has_the_facts_of_its_entry(examined: tuple[Machine, Nvml]) -> None:
    described, found = examined
    for index, (gpu, entry) in enumerate(zip(gpus_of(found), described.gpus, strict=True)):
        facts = {
            "name": entry.name,
            "uuid": entry.uuid,
            "pci_bus_id": entry.bdf,
            "pci_device_id": entry.pci_id,
            "minor_number": index if entry.minor is None else entry.minor,
            "compute_capability": entry.compute_capability,
            "memory_total_bytes": entry.memory.total_mib * MIB,
            "bar1_total_bytes": "<not_supported>" if entry.bar1_mib is None else entry.bar1_mib * MIB,
            "pcie_width": entry.pcie.width if entry.pcie else "<not_supported>",
            "pcie_generation_max": entry.pcie.max_gen if entry.pcie else "<not_supported>",
            "temperature_c": "<not_supported>" if entry.temperature is None else entry.temperature,
            "mig_enabled": entry.mig.enabled if entry.mig else False,
            "mig_devices": len(entry.mig.devices) if entry.mig else 0,
            "ecc_enabled": entry.ecc.enabled if entry.ecc else "<not_applicable>",
            "remap_pending": entry.remapped.pending if entry.remapped else "<not_applicable>",
            "nvlinks_total": entry.nvlink.count if entry.nvlink else 0,
            "nvlinks_active": len(topology.active_links(entry)),
            "fabric_state": ("not_supported", "not_started", "in_progress", "completed")[
                entry.fabric.state if entry.fabric else 0
            ],
            "access_error": "",
        }
        assert {field: plain(getattr(gpu, field)) for field in facts} == facts


def test_memory_in_use_leaves_the_reserve_out_where_the_driver_tells_it_apart(examined: tuple[Machine, Nvml]) -> None:
    described, found = examined
    assert described.driver is not None
    for gpu, entry in zip(gpus_of(found), described.gpus, strict=True):
        used, reserved = entry.memory.used_mib * MIB, entry.memory.reserved_mib * MIB
        if described.driver.branch >= 510:
            assert (plain(gpu.memory_used_bytes), plain(gpu.memory_reserved_bytes)) == (used, reserved)
        else:
            assert (plain(gpu.memory_used_bytes), plain(gpu.memory_reserved_bytes)) == (
                used + reserved,
                "<not_supported>",
            )


def test_every_ordered_pair_has_its_distance_links_and_status(examined: tuple[Machine, Nvml]) -> None:
    described, found = examined
    pairs = {(pair.a, pair.b): pair for pair in found.pairs.or_none() or ()}
    indices = range(len(described.gpus))
    assert list(pairs) == [(a, b) for a in indices for b in indices if a != b]
    for (a, b), pair in pairs.items():
        status = topology.p2p(described, a, b)
        assert plain(pair.level) == topology.level(described, a, b)
        assert plain(pair.nvlinks) == topology.bonded_links(described, a, b)
        told = (pair.p2p_read, pair.p2p_write, pair.p2p_nvlink, pair.p2p_atomics, pair.p2p_pcie)
        assert tuple(map(plain, told)) == (status.read, status.write, status.nvlink, status.atomics, status.pci)


def test_every_process_that_the_driver_lists_is_there_once(examined: tuple[Machine, Nvml]) -> None:
    described, found = examined
    for gpu, entry in zip(gpus_of(found), described.gpus, strict=True):
        listed = {process.pid: process for process in gpu.processes.or_none() or ()}
        assert sorted(listed) == sorted({process.pid for process in entry.processes})
        for process in entry.processes:
            if process.used_mib is not None:
                assert plain(listed[process.pid].used_bytes) == process.used_mib * MIB


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HEALTHY and not MACHINES[name].faults])
def test_a_machine_without_a_working_driver_says_why(simulated: Machines, name: str) -> None:
    described = MACHINES[name]
    found = simulated(name).collect(PROBE, Nvml)
    if described.driver is None:
        assert plain(found.init_error) == "LIBRARY_NOT_FOUND"
        assert plain(found.devices) == "<tool_missing>"
    else:
        assert plain(found.init_error) in {"DRIVER_NOT_LOADED", "LIB_RM_VERSION_MISMATCH"}
        assert plain(found.devices) == "<failed>"
