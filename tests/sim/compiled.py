"""Machine file → the `key=value` lines that the stub libraries read (stub/machine.h)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim import topology
from tests.sim.compiled_gpu import Line, Value, gpu_lines
from tests.sim.machine import Machine
from tests.sim.machine_gpu import Gpu

# The newest field id and struct version by driver branch: an older driver refuses what it does not know.
NEWEST_FIELD = ((0, 186), (545, 200), (570, 230), (575, 251), (580, 273), (595, 302))


def compiled(machine: Machine) -> str:
    """The whole text; keys whose value is None are left out, which means "not supported"."""
    lines = [f"{key}={_text(value)}" for key, value in _all(machine) if value is not None]
    return "\n".join(sorted(lines)) + "\n"


def _text(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _all(machine: Machine) -> Iterator[Line]:
    yield "name", machine.name
    if machine.faults:
        yield "faults", machine.faults
    for variable, value in machine.env.items():
        yield f"env.{variable}", value
    yield from _driver(machine)
    for index in range(len(machine.gpus)):
        yield from gpu_lines(machine, index)
    for first, second in topology.pairs(machine):
        yield from _pair(machine, first, second)
    for process in machine.system.processes:
        yield f"process.{process.pid}.command", process.command
    yield from _cuda(machine)


def _driver(machine: Machine) -> Iterator[Line]:
    driver = machine.driver
    if driver is None:
        return
    yield "nvml.init", f"!{driver.nvml_init}" if driver.nvml_init else 0
    yield "driver.version", driver.version
    yield "driver.nvml_version", f"{driver.cuda // 1000}.{driver.version}"
    yield "driver.branch", f"r{driver.branch}_00"
    yield "driver.cuda", driver.cuda
    yield "gpu.count", len(machine.gpus)
    yield "unit.count", 0
    yield "field.newest", max(field for branch, field in NEWEST_FIELD if branch <= driver.branch)
    yield "fabric.newest_version", 3 if driver.branch >= 580 else 2


def _pair(machine: Machine, first: int, second: int) -> Iterator[Line]:
    prefix = f"pair.{first}.{second}."
    status = topology.p2p(machine, first, second)
    yield f"{prefix}level", topology.LEVELS[topology.level(machine, first, second)]
    for number, capability in enumerate(topology.CAPABILITIES):
        yield f"{prefix}p2p.{number}", topology.STATUSES.index(getattr(status, capability))
    allowed = topology.peer_access(machine, first, second)
    nvlink = topology.bonded_links(machine, first, second) > 0
    for attribute, value in ((1, int(not nvlink)), (2, allowed), (3, allowed and nvlink), (4, allowed)):
        yield f"{prefix}cuda.{attribute}", int(value)


def _cuda(machine: Machine) -> Iterator[Line]:
    if machine.driver is None:
        return
    yield "cuda.init", f"!{machine.cuda.init}" if machine.cuda.init else 0
    fastest = machine.cuda.order or list(range(len(machine.gpus)))
    in_mig = [index for index, gpu in enumerate(machine.gpus) if gpu.mig and gpu.mig.enabled]
    if in_mig:  # CUDA enumerates one MIG device, the first that it may use
        fastest = [index for index in in_mig if machine.gpus[index].mig][:1]
    yield "cuda.count", len(fastest)
    for order, indices in (("fastest", fastest), ("pci", sorted(fastest))):
        for position, index in enumerate(indices):
            yield f"cuda.{order}.{position}.gpu", index
            yield f"cuda.{order}.{position}.mig", int(bool(in_mig))
    for index, gpu in enumerate(machine.gpus):
        for attribute, value in _attributes(gpu):
            yield f"gpu.{index}.attribute.{attribute}", value


def _attributes(gpu: Gpu) -> Iterator[tuple[int, int]]:
    major, minor = gpu.compute_capability.split(".")
    yield 20, gpu.compute_mode
    yield 33, int(gpu.bdf[5:7], 16)
    yield 34, int(gpu.bdf[8:10], 16)
    yield 41, 1
    yield 50, int(gpu.bdf[:4], 16)
    yield 75, int(major)
    yield 76, int(minor)
    yield 83, 1
    yield 102, 1
    yield 115, int(gpu.memory_pools)
