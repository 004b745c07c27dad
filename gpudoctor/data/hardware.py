"""The hardware table: what a healthy card of each model has. Source and date are in the file."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_file


class HardwareRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One GPU model, by its NVML name."""

    name: str
    form: str  # sxm | card (NVLink only through a bridge, which may be missing) | integrated (shares the memory)
    geforce: bool
    pci_id: str | None = None
    vram_mib: int | None = None
    torch_total_gib: float | None = None  # what CUDA programs see of it, as printed in logs
    vram_basis: str | None = None
    compute_capability: str | None = None
    pcie_generation: int | None = None
    pcie_lanes: int | None = None
    nvlinks_active: int | None = None  # 0: no connector
    nvlink: str | None = None
    pcie_p2p: str | None = None  # yes | no | bridge | vm_no, with the stock driver
    memory_bandwidth_gbs: float | None = None
    fp16_dense_tflops: float | None = None
    tdp_w: float | None = None
    note: str | None = None


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    date: str
    rows: tuple[HardwareRow, ...]


@cache
def table() -> dict[str, HardwareRow]:
    """All rows by name."""
    loaded = msgspec.json.decode(data_file("hardware.json").read_bytes(), type=_Table)
    return {row.name: row for row in loaded.rows}


def named_by_pci_id(device_id: str) -> str | None:
    """The NVML name of a PCI device id; None where several products share it (A2 and A16) or none is listed."""
    names = [row.name for row in table().values() if row.pci_id == device_id.lower()]
    return names[0] if len(names) == 1 else None


def look_up(name: str) -> HardwareRow | None:
    """The row of an NVML name; exact, because "A10" is part of "A100" and "H20" of "H200"."""
    rows = table()
    return rows.get(name) or rows.get(f"NVIDIA {name}") or rows.get(name.removeprefix("NVIDIA "))
