"""`nvidia-smi --query-gpu=... --format=csv`: one line a GPU, with or without units, on its own or inside other text.

index, name, pci.bus_id, memory.total [MiB], power.draw [W]
0, NVIDIA GeForce RTX 4090, 00000000:01:00.0, 24564 MiB, 18.40 W
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.model.fact import Fact, Reason, absent, known
from gpudoctor.model.facts.gpus import Gpu

SOURCE = "nvidia-smi"

_MAX_TEXT = 1 << 20
_MAX_LINE = 1 << 12
_MAX_GPUS = 64
_MAX_VALUE = 200
_FEWEST_FIELDS = 2

_UNIT = re.compile(r"\s*\[[A-Za-z%/]{1,8}\]\s*$")
_NUMBER = re.compile(r"(-?\d{1,15}(?:\.\d{1,6})?)(?: ?(MiB|KiB|GiB|W|mW|%|C|MHz|MB/s))?")
_BUS_ID = re.compile(r"([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", re.IGNORECASE)
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

# What stands in a cell instead of a value, without brackets and in lower case. The first that fits counts.
_ABSENCES: tuple[tuple[str, Reason], ...] = (
    ("n/a", "not_supported"),
    ("not supported", "not_supported"),
    ("not available", "not_supported"),
    ("insufficient permissions", "no_permission"),
    ("not found", "not_supported"),
    ("unknown error", "failed"),
    ("err!", "failed"),
    ("gpu requires reset", "failed"),
    ("gpu is lost", "failed"),
)

_ENABLED = {"enabled": True, "disabled": False, "yes": True, "no": False}
_COMPUTE_MODES = {
    "default": "default",
    "exclusive_thread": "exclusive_thread",
    "prohibited": "prohibited",
    "exclusive_process": "exclusive_process",
}
_FABRIC_STATES = {"not started": "not_started", "in progress": "in_progress", "completed": "completed"}


class Query(Struct, frozen=True):
    """The table: GPUs, and the columns that belong to the driver. `rejected_rows` says which lines did not fit."""

    gpus: tuple[Gpu, ...]
    driver_version: str | None
    rejected_rows: tuple[str, ...]
    line: int  # of the header, from 1


def read_query(text: str) -> Query | None:
    """The first table with a header in `text`; None where there is none."""
    lines = [line[:_MAX_LINE] for line in text[:_MAX_TEXT].splitlines()]
    for number, line in enumerate(lines):
        names = _header(line)
        if names is not None:
            return _table(names, lines[number + 1 :], number + 1)
    return None


def is_header(line: str) -> bool:
    """Whether a line names columns that are understood."""
    return _header(line[:_MAX_LINE]) is not None


def query_fields() -> tuple[str, ...]:
    """The fields of a GPU that are understood, as `--query-gpu` names them."""
    return tuple(_FIELDS)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _header(line: str) -> list[str] | None:
    names = [_UNIT.sub("", cell).lower() for cell in _cells(line)]
    named = [name for name in names if name in _FIELDS or name in {"index", "driver_version"}]
    return names if len(named) >= _FEWEST_FIELDS and len(set(names)) == len(names) else None


def _table(names: list[str], lines: list[str], line: int) -> Query:
    gpus: dict[int, Gpu] = {}
    rejected = []
    driver_version = None
    for text in lines:
        if not text.strip():
            continue
        cells = dict(zip(names, _cells(text), strict=False))
        index = cells.get("index", str(len(gpus)))
        if text.count(",") != len(names) - 1 or not (index.isdecimal() and len(index) < 4) or int(index) in gpus:
            rejected.append(text.strip()[:_MAX_VALUE])
            break  # the table has ended, or is not to be trusted from here on
        gpus[int(index)] = _gpu(int(index), cells)
        version = cells.get("driver_version", "")
        driver_version = driver_version or (version if re.fullmatch(r"\d{2,4}(\.\d{1,4}){1,3}", version) else None)
        if len(gpus) >= _MAX_GPUS:
            break
    return Query(tuple(gpus[index] for index in sorted(gpus)), driver_version, tuple(rejected), line)


def _gpu(index: int, cells: Mapping[str, str]) -> Gpu:
    facts: dict[str, Fact[object]] = {}
    for name, cell in cells.items():
        if name in _FIELDS:
            field, convert = _FIELDS[name]
            facts[field] = _fact(cell, convert)
    return replace(Gpu(index=index), **facts)


def _fact(cell: str, convert: Callable[[str], object]) -> Fact[object]:
    bare = cell.strip("[]").lower()
    for text, reason in _ABSENCES:
        if bare == text:
            return absent(reason, cell[:_MAX_VALUE], SOURCE)
    try:
        return known(convert(cell), SOURCE)
    except ValueError:
        return absent("parse_error", f"not understood: {cell[:60]!r}", SOURCE)


def _quantity(cell: str) -> tuple[float, str]:
    match = _NUMBER.fullmatch(cell)
    if match is None:
        raise ValueError(cell)
    return float(match.group(1)), match.group(2) or ""


def _bytes(cell: str) -> int:
    """MiB where there is no unit: the program prints memory in nothing else."""
    number, unit = _quantity(cell)
    if number < 0 or (unit and unit not in _UNITS):
        raise ValueError(cell)
    return round(number * _UNITS[unit or "MiB"])


def _milliwatts(cell: str) -> int:
    number, unit = _quantity(cell)
    return round(number if unit == "mW" else number * 1000)


def _count(cell: str) -> int:
    number, _ = _quantity(cell)
    if number < 0 or number != int(number):
        raise ValueError(cell)
    return int(number)


def _celsius(cell: str) -> int:
    return round(_quantity(cell)[0])


def _text(cell: str) -> str:
    text = "".join(character for character in cell if character.isprintable())[:_MAX_VALUE]
    if not text:
        raise ValueError(cell)
    return text


def _bus_id(cell: str) -> str:
    match = _BUS_ID.fullmatch(cell)
    if match is None:
        raise ValueError(cell)
    return f"{int(match.group(1), 16):04x}:{match.group(2).lower()}"


def _capability(cell: str) -> str:
    if not re.fullmatch(r"\d{1,2}\.\d", cell):
        raise ValueError(cell)
    return cell


def _one_of(names: Mapping[str, object]) -> Callable[[str], object]:
    def convert(cell: str) -> object:
        found = names.get(cell.lower())
        if found is None:
            raise ValueError(cell)
        return found

    return convert


_FIELDS: dict[str, tuple[str, Callable[[str], object]]] = {
    "name": ("name", _text),
    "gpu_name": ("name", _text),
    "uuid": ("uuid", _text),
    "gpu_uuid": ("uuid", _text),
    "pci.bus_id": ("pci_bus_id", _bus_id),
    "gpu_bus_id": ("pci_bus_id", _bus_id),
    "compute_cap": ("compute_capability", _capability),
    "memory.total": ("memory_total_bytes", _bytes),
    "memory.free": ("memory_free_bytes", _bytes),
    "memory.used": ("memory_used_bytes", _bytes),
    "memory.reserved": ("memory_reserved_bytes", _bytes),
    "utilization.gpu": ("utilization_percent", _count),
    "temperature.gpu": ("temperature_c", _celsius),
    "power.draw": ("power_draw_mw", _milliwatts),
    "enforced.power.limit": ("power_limit_mw", _milliwatts),
    "power.limit": ("power_limit_mw", _milliwatts),
    "power.default_limit": ("power_limit_default_mw", _milliwatts),
    "pcie.link.gen.current": ("pcie_generation", _count),
    "pcie.link.gen.gpucurrent": ("pcie_generation", _count),
    "pcie.link.gen.max": ("pcie_generation_max", _count),
    "pcie.link.gen.gpumax": ("pcie_generation_gpu_max", _count),
    "pcie.link.width.current": ("pcie_width", _count),
    "pcie.link.width.max": ("pcie_width_max", _count),
    "compute_mode": ("compute_mode", _one_of(_COMPUTE_MODES)),
    "persistence_mode": ("persistence", _one_of(_ENABLED)),
    "display_active": ("display_active", _one_of(_ENABLED)),
    "mig.mode.current": ("mig_enabled", _one_of(_ENABLED)),
    "mig.mode.pending": ("mig_pending", _one_of(_ENABLED)),
    "ecc.mode.current": ("ecc_enabled", _one_of(_ENABLED)),
    "ecc.errors.uncorrected.volatile.total": ("ecc_uncorrected_volatile", _count),
    "ecc.errors.uncorrected.aggregate.total": ("ecc_uncorrected_aggregate", _count),
    "fabric.state": ("fabric_state", _one_of(_FABRIC_STATES)),
}
