"""The kernel log, where this user may read it (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class Xid(Item, frozen=True, kw_only=True):
    """An NVRM Xid (or NVSwitch SXid) line."""

    code: int
    pci_bus_id: str = ""
    text: str = ""
    order: int = 0  # position in the log, oldest first
    count: int = 1  # same code on the same GPU
    switch: bool = False
    echo: bool = False  # 43, 45, 137, 154: follows from another event
    gpu_index: Fact[int] = NOT_PROVIDED
    seconds_ago: Fact[int] = NOT_PROVIDED  # of the newest of them


class KernelLog(Section, frozen=True, kw_only=True):
    """What the kernel said since boot, bounded to the newest lines."""

    source: Fact[str] = NOT_PROVIDED  # dmesg | journalctl
    xids: Fact[tuple[Xid, ...]] = NOT_PROVIDED
    aer_devices: Fact[tuple[str, ...]] = NOT_PROVIDED
    oom_kills: Fact[tuple[str, ...]] = NOT_PROVIDED  # names of killed processes
    nvrm_lines: Fact[tuple[str, ...]] = NOT_PROVIDED  # errors of the module that are no Xid
    bar_failures: Fact[tuple[str, ...]] = NOT_PROVIDED  # "BAR 1: no space", "BAR1 is 0M"
    iommu_faults: Fact[int] = NOT_PROVIDED
    iommu_fault_devices: Fact[tuple[str, ...]] = NOT_PROVIDED  # bus ids: a fault of another device proves nothing
    iommu_default_domain: Fact[str] = NOT_PROVIDED  # Translated | Passthrough
    fell_off_bus: Fact[tuple[str, ...]] = NOT_PROVIDED
    api_mismatch: Fact[bool] = NOT_PROVIDED
    module_rejected: Fact[bool] = NOT_PROVIDED  # the kernel refused an unsigned module (Secure Boot)
    hung_tasks: Fact[tuple[str, ...]] = NOT_PROVIDED
