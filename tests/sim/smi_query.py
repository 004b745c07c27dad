"""`nvidia-smi --query-gpu=...`: one column of values a field, from which the script pastes its answer."""

from __future__ import annotations

from collections.abc import Callable

from tests.sim.machine import Machine
from tests.sim.machine_gpu import Gpu

# What prints with a unit (and without one after `nounits`).
UNITS = {
    "memory.total": "MiB",
    "memory.used": "MiB",
    "memory.free": "MiB",
    "memory.reserved": "MiB",
    "power.draw": "W",
    "power.limit": "W",
    "enforced.power.limit": "W",
    "power.default_limit": "W",
    "power.min_limit": "W",
    "power.max_limit": "W",
    "utilization.gpu": "%",
    "utilization.memory": "%",
    "fan.speed": "%",
    "clocks.sm": "MHz",
    "clocks.mem": "MHz",
    "clocks.max.sm": "MHz",
    "clocks.max.mem": "MHz",
}

NOT_AVAILABLE = "[N/A]"

_Field = Callable[[Machine, int, Gpu], object]


def _enabled(value: bool | None) -> str:
    return NOT_AVAILABLE if value is None else "Enabled" if value else "Disabled"


def _reason(bit: int) -> _Field:
    def read(_machine: Machine, _index: int, gpu: Gpu) -> object:
        if gpu.clock_reasons is None:
            return None
        return "Active" if int(gpu.clock_reasons, 16) & bit else "Not Active"

    return read


def _free(gpu: Gpu) -> int:
    return gpu.memory.total_mib - gpu.memory.reserved_mib - gpu.memory.used_mib


_MODES = {0: "Default", 1: "Exclusive_Thread", 2: "Prohibited", 3: "Exclusive_Process"}
_FABRIC = {0: "Not Supported", 1: "Not Started", 2: "In Progress", 3: "Completed"}

_FIELDS: dict[str, _Field] = {
    "index": lambda _m, index, _g: index,
    "count": lambda machine, _i, _g: len(machine.gpus),
    "name": lambda _m, _i, gpu: gpu.name,
    "uuid": lambda _m, _i, gpu: gpu.uuid,
    "serial": lambda _m, _i, gpu: gpu.serial,
    "driver_version": lambda machine, _i, _g: machine.driver.version if machine.driver else None,
    "pci.bus_id": lambda _m, _i, gpu: f"0000{gpu.bdf}".upper(),
    "pci.device_id": lambda _m, _i, gpu: f"0x{gpu.pci_id.upper()}10DE",
    "compute_cap": lambda _m, _i, gpu: gpu.compute_capability,
    "compute_mode": lambda _m, _i, gpu: _MODES[gpu.compute_mode],
    "persistence_mode": lambda _m, _i, gpu: _enabled(gpu.persistence),
    "display_active": lambda _m, _i, gpu: _enabled(gpu.display),
    "display_mode": lambda _m, _i, gpu: _enabled(gpu.display),
    "memory.total": lambda _m, _i, gpu: gpu.memory.total_mib,
    "memory.reserved": lambda _m, _i, gpu: gpu.memory.reserved_mib,
    "memory.used": lambda _m, _i, gpu: gpu.memory.used_mib,
    "memory.free": lambda _m, _i, gpu: _free(gpu),
    "temperature.gpu": lambda _m, _i, gpu: gpu.temperature,
    "utilization.gpu": lambda _m, _i, gpu: None if gpu.mig and gpu.mig.enabled else gpu.utilization,
    "utilization.memory": lambda _m, _i, gpu: None if gpu.mig and gpu.mig.enabled else 0,
    "fan.speed": lambda _m, _i, gpu: gpu.fan_percent,
    "pstate": lambda _m, _i, gpu: f"P{gpu.pstate}",
    "power.draw": lambda _m, _i, gpu: f"{gpu.power.usage_w:.2f}" if gpu.power else None,
    "power.limit": lambda _m, _i, gpu: f"{gpu.power.limit_w:.2f}" if gpu.power else None,
    "enforced.power.limit": lambda _m, _i, gpu: f"{gpu.power.limit_w:.2f}" if gpu.power else None,
    "power.default_limit": lambda _m, _i, gpu: f"{gpu.power.default_w:.2f}" if gpu.power else None,
    "power.min_limit": lambda _m, _i, gpu: f"{gpu.power.min_w:.2f}" if gpu.power else None,
    "power.max_limit": lambda _m, _i, gpu: f"{gpu.power.max_w:.2f}" if gpu.power else None,
    "clocks.sm": lambda _m, _i, gpu: gpu.clocks_mhz[1],
    "clocks.mem": lambda _m, _i, gpu: gpu.clocks_mhz[2],
    "clocks.max.sm": lambda _m, _i, gpu: gpu.max_clocks_mhz[1],
    "clocks.max.mem": lambda _m, _i, gpu: gpu.max_clocks_mhz[2],
    "pcie.link.gen.current": lambda _m, _i, gpu: gpu.pcie.gen if gpu.pcie else None,
    "pcie.link.gen.max": lambda _m, _i, gpu: gpu.pcie.max_gen if gpu.pcie else None,
    "pcie.link.gen.gpumax": lambda _m, _i, gpu: gpu.pcie.gpu_max_gen if gpu.pcie else None,
    "pcie.link.width.current": lambda _m, _i, gpu: gpu.pcie.width if gpu.pcie else None,
    "pcie.link.width.max": lambda _m, _i, gpu: gpu.pcie.max_width if gpu.pcie else None,
    "mig.mode.current": lambda _m, _i, gpu: _enabled(gpu.mig.enabled if gpu.mig else None),
    "mig.mode.pending": lambda _m, _i, gpu: _enabled(gpu.mig.pending if gpu.mig else None),
    "ecc.mode.current": lambda _m, _i, gpu: _enabled(gpu.ecc.enabled if gpu.ecc else None),
    "ecc.errors.uncorrected.volatile.total": lambda _m, _i, gpu: gpu.ecc.uncorrected_volatile if gpu.ecc else None,
    "ecc.errors.corrected.volatile.total": lambda _m, _i, gpu: gpu.ecc.corrected_volatile if gpu.ecc else None,
    "ecc.errors.uncorrected.aggregate.total": lambda _m, _i, gpu: gpu.ecc.uncorrected_aggregate if gpu.ecc else None,
    "fabric.state": lambda _m, _i, gpu: _FABRIC[gpu.fabric.state] if gpu.fabric else None,
    "fabric.status": lambda _m, _i, gpu: "Success" if gpu.fabric and gpu.fabric.state == 3 else None,
    "clocks_event_reasons.active": lambda _m, _i, gpu: f"0x{int(gpu.clock_reasons or '0', 16):016X}",
    "clocks_event_reasons.gpu_idle": _reason(0x1),
    "clocks_event_reasons.sw_power_cap": _reason(0x4),
    "clocks_event_reasons.hw_slowdown": _reason(0x8),
    "clocks_event_reasons.sw_thermal_slowdown": _reason(0x20),
    "clocks_event_reasons.hw_thermal_slowdown": _reason(0x40),
    "clocks_event_reasons.hw_power_brake_slowdown": _reason(0x80),
}

ALIASES = {"gpu_name": "name", "gpu_uuid": "uuid", "gpu_bus_id": "pci.bus_id", "clocks.current.sm": "clocks.sm"}


def columns(machine: Machine) -> dict[str, list[str]]:
    """Field → its values without units, one a GPU."""
    gpus = list(enumerate(machine.gpus))
    plain = {name: [_text(read(machine, index, gpu)) for index, gpu in gpus] for name, read in _FIELDS.items()}
    throttle = {
        name.replace("clocks_event", "clocks_throttle"): values
        for name, values in plain.items()
        if name.startswith("clocks_event_reasons")
    }
    return {**plain, **throttle, **{alias: plain[name] for alias, name in ALIASES.items()}}


def _text(value: object) -> str:
    return NOT_AVAILABLE if value is None else str(value)
