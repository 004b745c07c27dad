"""NVIDIA GPUs and the bridges above them, read from /sys/bus/pci (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class PciGpu(Item, frozen=True, kw_only=True):
    """A display controller of vendor 10de."""

    bus_id: str  # 0000:17:00.0
    device_id: Fact[str] = NOT_PROVIDED
    driver: Fact[str] = NOT_PROVIDED  # nvidia, nouveau, vfio-pci, "" for none
    bridges: Fact[tuple[str, ...]] = NOT_PROVIDED  # from the root port down to the last bridge above the GPU
    bar0_bytes: Fact[int] = NOT_PROVIDED
    bar1_bytes: Fact[int] = NOT_PROVIDED  # 0: not assigned
    link_width: Fact[int] = NOT_PROVIDED
    link_width_max: Fact[int] = NOT_PROVIDED
    link_speed_gts: Fact[float] = NOT_PROVIDED
    link_speed_max_gts: Fact[float] = NOT_PROVIDED
    slot_width_max: Fact[int] = NOT_PROVIDED  # of the bridge above
    slot_speed_max_gts: Fact[float] = NOT_PROVIDED
    numa_node: Fact[int] = NOT_PROVIDED
    iommu_group: Fact[str] = NOT_PROVIDED
    iommu_type: Fact[str] = NOT_PROVIDED  # identity | DMA | DMA-FQ | none
    aer_fatal: Fact[int] = NOT_PROVIDED
    aer_correctable: Fact[int] = NOT_PROVIDED


class PciPath(Item, frozen=True, kw_only=True):
    """The way between two GPUs; a < b in bus-id order."""

    a: str
    b: str
    level: Fact[str] = NOT_PROVIDED  # PIX PXB PHB NODE SYS, computed from the bridges and NUMA nodes
    bridges: Fact[tuple[str, ...]] = NOT_PROVIDED  # all bridges below the common ancestor, both sides
    acs_redirect: Fact[tuple[str, ...]] = NOT_PROVIDED  # those whose ACS control redirects requests or completions


class Pci(Section, frozen=True, kw_only=True):
    """GPUs on the bus, whatever driver they have."""

    gpus: Fact[tuple[PciGpu, ...]] = NOT_PROVIDED
    paths: Fact[tuple[PciPath, ...]] = NOT_PROVIDED
    nvswitches: Fact[int] = NOT_PROVIDED
    iommu_active: Fact[bool] = NOT_PROVIDED  # /sys/class/iommu is not empty
    acs_redirect_seen: Fact[bool] = NOT_PROVIDED  # by any bridge of a listing that does not tell which GPUs are below
    iommu_kinds: Fact[tuple[str, ...]] = NOT_PROVIDED  # intel, amd, arm_smmu
