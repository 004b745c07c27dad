"""What a machine file says of one GPU. `null` means that its driver answers "not supported"."""

from __future__ import annotations

from typing import Literal

import msgspec

MIB = 1 << 20


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part of a machine file: a misspelt key is an error that names its path."""


class Memory(Record, frozen=True, kw_only=True):
    total_mib: int
    reserved_mib: int
    used_mib: int = 1  # without the reserve, as version 2 of the call counts


class Pcie(Record, frozen=True, kw_only=True):
    gen: int
    width: int
    max_gen: int  # of card and slot together
    max_width: int
    gpu_max_gen: int
    gpu_max_width: int = 16
    replays: int = 0
    aer_correctable: int = 0
    aer_fatal: int = 0


class Power(Record, frozen=True, kw_only=True):
    usage_w: float
    default_w: int
    limit_w: int
    min_w: int
    max_w: int


class Ecc(Record, frozen=True, kw_only=True):
    enabled: bool = True
    corrected_volatile: int = 0
    uncorrected_volatile: int = 0
    corrected_aggregate: int = 0
    uncorrected_aggregate: int = 0
    sram_threshold_exceeded: bool = False


class RemappedRows(Record, frozen=True, kw_only=True):
    corrected: int = 0
    uncorrected: int = 0
    pending: bool = False
    failed: bool = False


class RetiredPages(Record, frozen=True, kw_only=True):
    single_bit: int = 0
    double_bit: int = 0
    pending: bool = False


class Nvlink(Record, frozen=True, kw_only=True):
    count: int
    version: int
    speed_mbps: int
    to: str | list[int] | None = None  # "switch", or the NVML index of the GPU at the end of each link; null: nothing
    down: tuple[int, ...] = ()
    crc_errors: int = 0
    replays: int = 0


class Fabric(Record, frozen=True, kw_only=True):
    state: Literal[0, 1, 2, 3]  # not supported, not started, in progress, completed
    status: int = 0  # nvmlReturn, valid only when completed
    clique: int = 0
    cluster: str = "0x0"
    health: str = "0x0"
    summary: int = 0


class MigDevice(Record, frozen=True, kw_only=True):
    name: str
    uuid: str
    gpu_instance: int
    slices: int
    total_mib: int
    used_mib: int = 13
    compute_instance: int = 0


class Mig(Record, frozen=True, kw_only=True):
    enabled: bool = False
    pending: bool = False
    devices: tuple[MigDevice, ...] = ()


class GpuProcess(Record, frozen=True, kw_only=True):
    pid: int
    used_mib: int | None = None  # null: the driver does not tell
    kind: Literal["compute", "graphics", "mps"] = "compute"
    mig: int | None = None


class Gpu(Record, frozen=True, kw_only=True):
    name: str
    uuid: str
    bdf: str
    pci_id: str  # four hex digits
    compute_capability: str
    architecture: int
    brand: int
    memory: Memory
    bar1_mib: int | None
    pcie: Pcie | None
    power: Power | None
    temperature: int | None
    subsystem: str = "10de0000"  # vendor and device
    vga: bool = False  # display controller class: VGA (0300) or 3D (0302)
    rebar_supported: bool = True  # by the VBIOS
    minor: int | None = None  # default: the index
    serial: str | None = None
    ecc: Ecc | None = None
    remapped: RemappedRows | None = None
    retired: RetiredPages | None = None
    slowdown_c: int | None = 90
    utilization: int | None = 0
    clock_reasons: str | None = "0x1"
    compute_mode: int = 0
    persistence: bool | None = True
    mig: Mig | None = None
    virtualization: int | None = 0
    memory_pools: bool = True  # false: a vGPU without unified memory
    nvlink: Nvlink | None = None
    fabric: Fabric | None = None
    recovery_action: int | None = None
    memory_numa_node: int | None = None
    display: bool = False
    gsp: bool | None = True
    pstate: int = 8
    fan_percent: int | None = None
    addressing_mode: int | None = 1
    clocks_mhz: tuple[int, int, int, int] = (210, 210, 405, 555)  # graphics, SM, memory, video
    max_clocks_mhz: tuple[int, int, int, int] = (1980, 1980, 2619, 1830)
    processes: tuple[GpuProcess, ...] = ()
    energy_mj: int | None = 1234567890
