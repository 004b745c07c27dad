"""How two GPUs reach each other: NVML, nvidia-smi, the driver API and /sys joined (derived)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class GpuPair(Item, frozen=True, kw_only=True):
    """An unordered pair of NVML indices, a < b. Both directions are folded: a status is OK only where both are."""

    a: int
    b: int
    link: Fact[str] = NOT_PROVIDED  # as `topo -m` prints it: NV4, PIX, PXB, PHB, NODE, SYS
    path: Fact[str] = NOT_PROVIDED  # the PCIe distance below any NVLink: PIX PXB PHB NODE SYS
    nvlinks: Fact[int] = NOT_PROVIDED
    p2p_read: Fact[str] = NOT_PROVIDED  # OK CNS GNS TNS DR NS U
    p2p_write: Fact[str] = NOT_PROVIDED
    p2p_nvlink: Fact[str] = NOT_PROVIDED
    p2p_pcie: Fact[str] = NOT_PROVIDED
    peer_access: Fact[bool] = NOT_PROVIDED  # cuDeviceCanAccessPeer both ways
    same_model: Fact[bool] = NOT_PROVIDED
    acs_redirect: Fact[tuple[str, ...]] = NOT_PROVIDED  # bridges on the path whose ACS redirects
    iommu_translating: Fact[bool] = NOT_PROVIDED  # either GPU's group is DMA or DMA-FQ
    link_smi: Fact[str] = NOT_PROVIDED  # only where nvidia-smi and NVML disagree


class Topology(Section, frozen=True, kw_only=True):
    """Pairs of all GPUs of the machine."""

    pairs: Fact[tuple[GpuPair, ...]] = NOT_PROVIDED
    any_nvlink: Fact[bool] = NOT_PROVIDED
    any_p2p: Fact[bool] = NOT_PROVIDED
    nvswitch: Fact[bool] = NOT_PROVIDED
