"""CUDA_VISIBLE_DEVICES, read as the CUDA driver reads it.

The driver takes entries from the left and stops at the first that it cannot use; a device listed twice hides all. A
number counts in CUDA's own order, which is fastest first unless CUDA_DEVICE_ORDER=PCI_BUS_ID. What the driver itself
answered (a second cuInit under the workload's environment) overrules this reading; the reading names the reason.

Source: CUDA C Programming Guide, "CUDA Environment Variables" (2026-11); PyTorch torch/cuda/__init__.py
`_parse_visible_devices`, which follows the driver.
"""

from __future__ import annotations

from typing import NoReturn

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.derive.pasted import is_pasted
from gpudoctor.derive.variables import undecided
from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.model.fact import Fact, Reason, absent, absent_like, known
from gpudoctor.model.facts import Facts, Gpu, Visible

VARIABLE = "CUDA_VISIBLE_DEVICES"
_UUID = lazy_pattern(r"GPU-[0-9a-fA-F-]{1,64}\Z")
_MIG = lazy_pattern(r"MIG-[0-9a-zA-Z/-]{1,128}\Z")
_NUMBER = lazy_pattern(r"\+?(\d{1,9})\Z")
_LEADING_NUMBER = lazy_pattern(r"\+?(\d{1,9})(?=\D)")  # "0;1", "0.1": the driver reads 0 and ignores the rest
_NEGATIVE = lazy_pattern(r"-\d{1,9}\Z")
_SOURCE = "environment"
_MAX_ENTRIES = 256


class _Reading(Struct, frozen=True):
    """The list as the driver would take it. `devices` are NVML indices, None where the order is not known."""

    devices: tuple[int, ...] | None
    first_bad: str | None
    out_of_range: tuple[str, ...]
    duplicates: tuple[str, ...]
    malformed: tuple[str, ...]
    unknown_uuids: tuple[str, ...]


def derive_visible(facts: Facts, devices: tuple[Gpu, ...] | None) -> Visible:
    """What the workload's process sees of `devices` (None: the GPUs are not known)."""
    variables = facts.environment.variables.or_none()
    order = (variables or {}).get("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    raw = (variables or {}).get(VARIABLE)
    if raw is not None and _may_lack_some(facts):
        devices = None  # a number beyond this list may well be a GPU
    cuda_order = None if devices is None else _cuda_order(devices, order, nameless_are_alike=is_pasted(facts))
    doubt = undecided(facts, VARIABLE)
    if doubt:
        visible = _undecided(doubt)
    else:
        visible = _unset(facts, devices, cuda_order) if raw is None else _set(facts, raw, devices, cuda_order)
    return replace(
        visible,
        variable=known(VARIABLE, _SOURCE),
        device_order=known(order, _SOURCE),
        order_differs=_order_differs(devices, cuda_order),
    )


def _undecided(why: str) -> Visible:
    """Nobody here knows the list that the run gets, so neither what it sees."""
    nothing: Fact[NoReturn] = absent("not_provided", why, _SOURCE)
    return Visible(**dict.fromkeys(Visible.__struct_fields__, nothing))


def _unset(facts: Facts, devices: tuple[Gpu, ...] | None, cuda_order: tuple[int, ...] | None) -> Visible:
    reason: Reason = "not_applicable" if facts.environment.variables.known else "not_provided"
    nothing: Fact[NoReturn] = absent(reason, f"{VARIABLE} is not set" if reason == "not_applicable" else "")
    return Visible(
        raw=nothing,
        set_by=nothing,
        entries=nothing,
        empty=nothing,
        negative=nothing,
        first_bad=nothing,
        out_of_range=nothing,
        duplicates=nothing,
        malformed=nothing,
        unknown_uuids=nothing,
        uses_uuid=nothing,
        uses_mig=nothing,
        spaces=nothing,
        count=_unrestricted_count(facts, devices),
        devices=_unrestricted(facts, cuda_order),
    )


def _set(facts: Facts, raw: str, devices: tuple[Gpu, ...] | None, cuda_order: tuple[int, ...] | None) -> Visible:
    entries = tuple(entry.strip() for entry in raw.split(",")[:_MAX_ENTRIES])
    reading = _read(entries, devices, cuda_order)
    seen = _driver_answer(facts, devices)
    uncounted: Fact[NoReturn] = absent("not_provided", "the GPUs are not counted")
    good: Fact[str] = absent("not_applicable", "every entry is good")
    launch = facts.environment.launch.or_none() or {}
    return Visible(
        raw=known(raw[:512], _SOURCE),
        set_by=known("launch_command" if VARIABLE in launch else "shell", _SOURCE),
        entries=known(entries, _SOURCE),
        empty=known(not any(entries), _SOURCE),
        negative=known(any(_NEGATIVE.match(entry) for entry in entries), _SOURCE),
        first_bad=good if reading.first_bad is None else known(reading.first_bad, _SOURCE),
        out_of_range=uncounted if devices is None else known(reading.out_of_range, _SOURCE),
        duplicates=known(reading.duplicates, _SOURCE),
        malformed=known(reading.malformed, _SOURCE),
        unknown_uuids=uncounted if devices is None else known(reading.unknown_uuids, _SOURCE),
        uses_uuid=known(any(entry.startswith("GPU-") for entry in entries), _SOURCE),
        uses_mig=known(any(entry.startswith("MIG-") for entry in entries), _SOURCE),
        spaces=known(any(part != part.strip() for part in raw.split(",")), _SOURCE),
        count=_taken_on_trust(facts, devices, entries, reading) or _count(seen, reading),
        devices=_devices(seen, reading),
    )


def _cuda_order(devices: tuple[Gpu, ...], order: str, *, nameless_are_alike: bool = False) -> tuple[int, ...] | None:
    """NVML indices in CUDA's order; None where it cannot be known."""
    if order == "PCI_BUS_ID":
        return tuple(gpu.index for gpu in devices)
    placed = [(place, gpu.index) for gpu in devices if (place := gpu.cuda_index.or_none()) is not None]
    if len(placed) == len(devices):
        return tuple(index for _, index in sorted(placed))
    names = {gpu.name.or_none() for gpu in devices}
    if len(names) == 1 and (
        None not in names or nameless_are_alike
    ):  # equal cards: there is no faster one to come first
        return tuple(gpu.index for gpu in devices)
    return None


def _order_differs(devices: tuple[Gpu, ...] | None, cuda_order: tuple[int, ...] | None) -> Fact[bool]:
    if devices is None or cuda_order is None:
        return absent("not_provided", "CUDA's own order of the GPUs is not known")
    return known(cuda_order != tuple(gpu.index for gpu in devices), "cuda")


def _read(entries: tuple[str, ...], devices: tuple[Gpu, ...] | None, cuda_order: tuple[int, ...] | None) -> _Reading:
    total = len(devices) if devices is not None else _MAX_ENTRIES
    taken: list[int | str] = []
    first_bad: str | None = None
    problems: dict[str, list[str]] = {"range": [], "twice": [], "malformed": [], "uuid": []}
    for entry in entries:
        device, problem = _resolve(entry, total, devices, cuda_order)
        if problem:
            problems[problem].append(entry)
        if device is not None and device in taken:
            problems["twice"].append(entry)
        if device is None and first_bad is None:
            first_bad = entry
        elif device is not None and first_bad is None:
            taken.append(device)
    if problems["twice"]:
        first_bad, taken = first_bad or problems["twice"][0], []
    numbers = [device for device in taken if isinstance(device, int)]
    return _Reading(
        devices=tuple(numbers) if len(numbers) == len(taken) and devices is not None else None,
        first_bad=first_bad,
        out_of_range=tuple(problems["range"]),
        duplicates=tuple(problems["twice"]),
        malformed=tuple(problems["malformed"]),
        unknown_uuids=tuple(problems["uuid"]),
    )


def _resolve(
    entry: str, total: int, devices: tuple[Gpu, ...] | None, cuda_order: tuple[int, ...] | None
) -> tuple[int | str | None, str]:
    """(NVML index, or a stand-in where it cannot be known, or None where the driver stops; the problem or "")."""
    if number := _NUMBER.match(entry) or _LEADING_NUMBER.match(entry):
        place = int(number[1])
        if place >= total:
            return None, "range"
        problem = "" if number.end() == len(entry) else "malformed"
        return (cuda_order[place] if cuda_order is not None else number[1]), problem
    if _UUID.match(entry) and devices is not None:
        matches = [gpu.index for gpu in devices if (gpu.uuid.or_none() or "").lower().startswith(entry.lower())]
        return (matches[0], "") if len(matches) == 1 else (None, "uuid")
    if _MIG.match(entry) and devices and all(gpu.mig_enabled.or_none() is False for gpu in devices):
        return None, "uuid"  # MIG was switched off, or the variable comes from another machine
    if _UUID.match(entry) or _MIG.match(entry):
        return entry, ""
    return None, "" if not entry or _NEGATIVE.match(entry) else "malformed"


def _driver_answer(facts: Facts, devices: tuple[Gpu, ...] | None) -> tuple[int, tuple[int, ...] | None] | None:
    """(count, NVML indices) as the driver itself answered under this environment; None where it was not asked."""
    uuids = facts.cuda.visible_uuids.or_none()
    if uuids is None:
        return None
    by_uuid = {gpu.uuid.or_none(): gpu.index for gpu in devices or ()}
    indices = tuple(by_uuid[uuid] for uuid in uuids if uuid in by_uuid)
    return len(uuids), indices if len(indices) == len(uuids) else None


def _count(seen: tuple[int, tuple[int, ...] | None] | None, reading: _Reading) -> Fact[int]:
    if seen is not None:
        return known(seen[0], "cuda")
    if reading.devices is not None:
        return known(len(reading.devices), "environment")
    return absent("not_provided", "the GPUs that the list names are not known")


def _taken_on_trust(
    facts: Facts, devices: tuple[Gpu, ...] | None, entries: tuple[str, ...], reading: _Reading
) -> Fact[int] | None:
    """A paste seldom lists the GPUs beside the variable; a list without a fault in it is what its writer has."""
    if devices is not None or not is_pasted(facts) or reading.first_bad is not None:
        return None
    return known(len(entries), _SOURCE)


def _devices(seen: tuple[int, tuple[int, ...] | None] | None, reading: _Reading) -> Fact[tuple[int, ...]]:
    if seen is not None and seen[1] is not None:
        return known(seen[1], "cuda")
    if reading.devices is not None:
        return known(reading.devices, "environment")
    return absent("not_provided", "the GPUs that the list names are not known")


def _unrestricted_count(facts: Facts, devices: tuple[Gpu, ...] | None) -> Fact[int]:
    if facts.cuda.device_count.known and not facts.cuda.init_error.or_none():
        return facts.cuda.device_count
    if facts.nvml.count.known:
        return facts.nvml.count
    if _may_lack_some(facts):
        return absent("not_provided", "the list of GPUs may lack some", "nvidia-smi")
    if (facts.nvidia_smi.gpus.known or facts.nvidia_smi.topology.known) and devices is not None:
        return known(len(devices), "nvidia-smi")
    if facts.nvml.init_error.or_none():  # cards on the bus without a working driver are none that a process can use
        return known(0, "nvml")
    return absent_like(facts.nvml.count, facts.nvml.count.detail or "the GPUs are not counted")


def _may_lack_some(facts: Facts) -> bool:
    """A list of GPUs in a paste, of those that a program used or cut at its end."""
    return bool(facts.nvidia_smi.gpus_partial.or_none()) and not facts.nvml.devices.known


def _unrestricted(facts: Facts, cuda_order: tuple[int, ...] | None) -> Fact[tuple[int, ...]]:
    if cuda_order is None:
        return absent("not_provided", "CUDA's own order of the GPUs is not known")
    return known(cuda_order, "cuda" if facts.cuda.devices.known else "nvml")
