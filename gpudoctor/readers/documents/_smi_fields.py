"""Values of `nvidia-smi -q`, in its text and its XML form, as fields of a GPU."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gpudoctor.readers.bus_id import bus_id
from gpudoctor.readers.documents._text import plain, size_bytes

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,4})?")
_STATES = {"not started": "not_started", "in progress": "in_progress", "completed": "completed", "n/a": "not_supported"}
_MODES = {
    "default": "default",
    "exclusive_process": "exclusive_process",
    "exclusive process": "exclusive_process",
    "exclusive_thread": "exclusive_thread",
    "prohibited": "prohibited",
}
_VIRTUAL = {"none": "none", "pass-through": "passthrough", "passthrough": "passthrough", "vgpu": "vgpu"}
_VIRTUAL |= {"host vgpu": "host_vgpu", "host_vgpu": "host_vgpu", "host vsga": "host_vsga", "host_vsga": "host_vsga"}
_ACTIONS = {"none": "none", "reset": "reset", "gpu reset": "reset", "reboot": "reboot", "node reboot": "reboot"}
_ACTIONS |= {"drain p2p": "drain_p2p", "drain and reset": "drain_and_reset"}
_REASONS = {
    "idle": "gpu_idle",
    "gpu_idle": "gpu_idle",
    "sw_power_cap": "sw_power_cap",
    "hw_slowdown": "hw_slowdown",
    "hw_thermal_slowdown": "hw_thermal",
    "hw_power_brake": "hw_power_brake",
    "hw_power_brake_slowdown": "hw_power_brake",
    "sw_thermal_slowdown": "sw_thermal",
    "sync_boost": "sync_boost",
}


def _number(text: str) -> float | None:
    match = _NUMBER.match(text.strip())
    return float(match.group()) if match else None


def count(text: str) -> int | None:
    """`16x`, `4`, `34 C`; None where there is no number."""
    number = _number(text)
    return int(number) if number is not None and 0 <= number < 1 << 53 else None


def _milliwatts(text: str) -> int | None:
    number = _number(text)
    return round(number * 1000) if number is not None and 0 <= number < 1e6 else None


def _yes(text: str) -> bool | None:
    return {"enabled": True, "disabled": False, "yes": True, "no": False}.get(text.strip().lower())


def _text(text: str) -> str | None:
    value = plain(text)
    return None if value.strip("[]").lower() in ("", "n/a", "none", "unknown error", "not supported") else value


def _of(names: Mapping[str, str]) -> Callable[[str], str | None]:
    return lambda text: names.get(text.strip().lower())


def _where(text: str) -> str | None:
    return bus_id(text) or None


def _device_id(text: str) -> str | None:
    """`0x268410DE`: device before vendor; XML leaves the 0x out."""
    match = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{4})10DE", text.strip(), re.IGNORECASE)
    return match.group(1).lower() if match else None


# Field and conversion by the section (or "" for the GPU itself) and the key, in the words of the text form.
FIELDS: dict[tuple[str, str], tuple[str, Callable[[str], object | None]]] = {
    ("", "product name"): ("name", _text),
    ("", "gpu uuid"): ("uuid", _text),
    ("", "minor number"): ("minor_number", count),
    ("", "persistence mode"): ("persistence", _yes),
    ("", "display active"): ("display_active", _yes),
    ("", "compute mode"): ("compute_mode", _of(_MODES)),
    ("", "gpu recovery action"): ("recovery_action", _of(_ACTIONS)),
    ("mig mode", "current"): ("mig_enabled", _yes),
    ("mig mode", "pending"): ("mig_pending", _yes),
    ("gsp firmware version", "gsp firmware version"): ("gsp_firmware", _text),
    ("", "gsp firmware version"): ("gsp_firmware", _text),
    ("gpu virtualization mode", "virtualization mode"): ("virtualization_mode", _of(_VIRTUAL)),
    ("pci", "bus id"): ("pci_bus_id", _where),
    ("pci", "device id"): ("pci_device_id", _device_id),
    ("pci", "replays since reset"): ("pcie_replays", count),
    ("pcie generation", "max"): ("pcie_generation_max", count),
    ("pcie generation", "current"): ("pcie_generation", count),
    ("pcie generation", "device max"): ("pcie_generation_gpu_max", count),
    ("link width", "max"): ("pcie_width_max", count),
    ("link width", "current"): ("pcie_width", count),
    ("fb memory usage", "total"): ("memory_total_bytes", size_bytes),
    ("fb memory usage", "used"): ("memory_used_bytes", size_bytes),
    ("fb memory usage", "free"): ("memory_free_bytes", size_bytes),
    ("fb memory usage", "reserved"): ("memory_reserved_bytes", size_bytes),
    ("bar1 memory usage", "total"): ("bar1_total_bytes", size_bytes),
    ("ecc mode", "current"): ("ecc_enabled", _yes),
    ("utilization", "gpu"): ("utilization_percent", count),
    ("remapped rows", "uncorrectable error"): ("remapped_rows_uncorrected", count),
    ("remapped rows", "pending"): ("remap_pending", _yes),
    ("remapped rows", "remapping failure occurred"): ("remap_failed", _yes),
    ("retired pages", "pending page blacklist"): ("pages_pending", _yes),
    ("temperature", "gpu current temp"): ("temperature_c", count),
    ("temperature", "gpu slowdown temp"): ("temperature_slowdown_c", count),
    ("power readings", "power draw"): ("power_draw_mw", _milliwatts),
    ("power readings", "average power draw"): ("power_draw_mw", _milliwatts),
    ("power readings", "power limit"): ("power_limit_mw", _milliwatts),
    ("power readings", "current power limit"): ("power_limit_mw", _milliwatts),
    ("power readings", "default power limit"): ("power_limit_default_mw", _milliwatts),
    ("fabric", "state"): ("fabric_state", _of(_STATES)),
    ("fabric", "status"): ("fabric_status", lambda text: "OK" if text.lower() == "success" else _text(text)),
}


def values_of(entries: Mapping[tuple[str, str], str]) -> dict[str, object | None]:
    """Fields of one GPU from its entries, keys in lower case."""
    values: dict[str, object | None] = {}
    for key, text in entries.items():
        if key in FIELDS:
            name, convert = FIELDS[key]
            values.setdefault(name, convert(text))
    values.update(_ecc(entries, "volatile", "ecc_uncorrected_volatile", "ecc_corrected_volatile"))
    values.update(_ecc(entries, "aggregate", "ecc_uncorrected_aggregate", None))
    reasons = _reasons(entries)
    if reasons is not None:
        values["clock_event_reasons"] = reasons
    return values


def _ecc(entries: Mapping[tuple[str, str], str], when: str, bad: str, mild: str | None) -> dict[str, object | None]:
    """Sums over the memories that the model counts; the words changed with Turing and again with Hopper."""
    sums: dict[str, int] = {}
    for (section, key), text in entries.items():
        number = count(text) if section == when and text.strip().isdigit() else None
        if number is None or "sram threshold" in key:
            continue
        field = bad if "uncorrectable" in key or key.startswith("double") else mild
        if field is not None and ("correctable" in key or key.startswith(("single", "double"))):
            sums[field] = sums.get(field, 0) + number
    return dict(sums)


def _reasons(entries: Mapping[tuple[str, str], str]) -> tuple[str, ...] | None:
    told = {
        key.replace(" ", "_"): text.strip().lower()
        for (section, key), text in entries.items()
        if section in ("clocks event reasons", "clocks throttle reasons", "hw slowdown")
    }
    known = {_REASONS[key]: text for key, text in told.items() if key in _REASONS and text in ("active", "not active")}
    return tuple(name for name, text in known.items() if text == "active") if known else None
