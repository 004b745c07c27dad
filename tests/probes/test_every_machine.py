"""Every probe that needs nothing but the host, on every simulated machine: its facts are those of the machine file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from gpudoctor.host.probe import Probe
from gpudoctor.host.replay import ReplayHost
from gpudoctor.model.fact import REASONS, Fact
from gpudoctor.model.facts import (
    Driver,
    HostMemory,
    KernelLog,
    Limits,
    Machine,
    Network,
    Pci,
    Rdma,
    Shm,
    Virtualization,
)
from gpudoctor.model.facts.section import Item, Section
from gpudoctor.probes import discover
from tests.probes.simulated import Simulated
from tests.probes.tree import REQUEST
from tests.sim import machine, topology
from tests.sim.build import build

Machines = Callable[[str], Simulated]

SECTIONS: tuple[type[Section], ...] = (
    Driver,
    HostMemory,
    KernelLog,
    Limits,
    Machine,
    Network,
    Pci,
    Rdma,
    Shm,
    Virtualization,
)
MIB = 1 << 20
PROBES = {probe.name: probe for probe in discover() if probe.section in SECTIONS}

every_machine = pytest.mark.parametrize("name", machine.names())
every_probe = pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)


def facts_of(item: Section | Item) -> Iterator[Fact[object]]:
    for name in item.__struct_fields__:
        value = getattr(item, name)
        if isinstance(value, Fact):
            yield value
            parts = value.or_none()
            for part in parts if isinstance(parts, tuple) else ():
                if isinstance(part, Item):
                    yield from facts_of(part)


@every_machine
@every_probe
def test_a_section_survives_json_and_each_fact_is_a_value_or_a_reason(
    simulated: Machines, name: str, probe: Probe
) -> None:
    section = probe.collect(simulated(name).host(), REQUEST)

    assert isinstance(section, probe.section)
    assert msgspec.json.decode(msgspec.json.encode(section), type=probe.section) == section
    for fact in facts_of(section):
        assert fact.source or fact.absent == "not_provided"
        assert fact.known or fact.absent in REASONS


@every_machine
def test_distances_are_those_of_the_tree(simulated: Machines, name: str) -> None:
    described = machine.load(name)
    pci = PROBES["pci"].collect(simulated(name).host(), REQUEST)
    assert isinstance(pci, Pci)
    levels = {(path.a, path.b): path.level.or_none() for path in pci.paths.or_none() or ()}

    for (one, first), (other, second) in combinations(enumerate(described.gpus), 2):
        a, b = sorted((first.bdf, second.bdf))
        if topology.for_pair(described.pcie_levels, one, other) is None and (a, b) in levels:
            assert levels[a, b] == topology.level(described, one, other), (a, b)


@every_machine
def test_bridges_that_redirect_are_those_whose_control_word_says_so(simulated: Machines, name: str) -> None:
    bridges = {bridge.at: bridge for place in topology.places(machine.load(name)).values() for bridge in place.above}
    pci = PROBES["pci"].collect(simulated(name).host(), REQUEST)
    assert isinstance(pci, Pci)

    for path in pci.paths.or_none() or ():
        words = {at: int(bridges[at].acs or "0", 16) for at in path.bridges.or_none() or ()}
        expected = tuple(at for at, word in words.items() if word & 0b1100)
        assert path.acs_redirect.or_none() == (expected if words else None)


@every_machine
def test_without_privilege_acs_is_unknown_and_everything_else_the_same(
    simulated: Machines, tmp_path: Path, name: str
) -> None:
    probe = PROBES["pci"]
    privileged = probe.collect(simulated(name).host(), REQUEST)
    pci = probe.collect(ReplayHost(str(build(name, tmp_path / "machine", privileged=False) / "root")), REQUEST)
    assert isinstance(pci, Pci)
    assert isinstance(privileged, Pci)

    assert pci.gpus == privileged.gpus
    for path in pci.paths.or_none() or ():
        assert path.acs_redirect.absent == ("no_permission" if path.bridges.value else "not_supported")


@every_machine
def test_module_and_daemons_are_as_described(simulated: Machines, name: str) -> None:
    described = machine.load(name)
    driver = PROBES["driver"].collect(simulated(name).host(), REQUEST)
    assert isinstance(driver, Driver)
    stated = described.driver

    if stated is not None and stated.loaded and not described.system.wsl:
        assert driver.module_version.value == stated.kernel_version
        assert driver.module_open.value is (stated.flavour == "open")
        assert driver.registry_dwords.value == stated.registry_dwords
        assert len(driver.device_nodes.or_none() or ()) == len(described.gpus)
        if described.system.container is None:
            assert driver.fabric_manager.value == stated.fabric_manager
    elif not described.system.wsl:
        assert driver.module_loaded.value is False


@every_machine
def test_memory_shm_and_limits_are_as_described(simulated: Machines, name: str) -> None:
    system, host = machine.load(name).system, simulated(name).host()
    memory, shm, limits = (PROBES[probe].collect(host, REQUEST) for probe in ("memory", "shm", "limits"))
    assert isinstance(memory, HostMemory)
    assert isinstance(shm, Shm)
    assert isinstance(limits, Limits)

    assert memory.total_bytes.value == system.memory_mib * MIB
    limited = system.cgroup.memory_max != "max"
    assert memory.limit_bytes.or_none() == (int(system.cgroup.memory_max) if limited else None)
    assert limits.memlock_bytes.value == (-1 if system.memlock_kib == "unlimited" else system.memlock_kib * 1024)
    if system.shm_mib is not None:
        assert shm.size_bytes.value == system.shm_mib * MIB
        assert shm.free_bytes.value == (system.shm_mib - system.shm_used_mib) * MIB


@every_machine
def test_container_virtual_machine_and_cpu_are_as_described(simulated: Machines, name: str) -> None:
    system, host = machine.load(name).system, simulated(name).host()
    around, computer = (PROBES[probe].collect(host, REQUEST) for probe in ("virtualization", "machine"))
    assert isinstance(around, Virtualization)
    assert isinstance(computer, Machine)

    assert around.container.value == (system.container or "none")
    assert bool(around.wsl.value) is system.wsl
    assert (around.vm.value == "none") is not (system.cpu.hypervisor or system.wsl)
    assert around.host_pid_namespace.value is (system.container is None)
    vendors = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "ARM": "arm"}
    assert computer.cpu_vendor.value == vendors[system.cpu.vendor]
    sockets = None if system.cpu.vendor == "ARM" else system.cpu.sockets  # the kernel of ARM does not say
    assert (computer.sockets.or_none(), computer.numa_nodes.value) == (sockets, len(system.cpu.nodes))
    assert (computer.kernel.value, computer.os.value) == (system.kernel, system.os)


@every_machine
def test_nothing_that_identifies_the_machine_leaves(simulated: Machines, name: str) -> None:
    described = machine.load(name)
    host = simulated(name).host()
    text = "".join(msgspec.json.encode(probe.collect(host, REQUEST)).decode() for probe in PROBES.values())

    private = {
        "" if name == "nouveau" else name,
        *(nic.address for nic in described.system.nics),
        *(nic.ipv4 for nic in described.system.nics),
    }
    for secret in private - {None, "", "00:00:00:00:00:00"}:
        assert str(secret) not in text
