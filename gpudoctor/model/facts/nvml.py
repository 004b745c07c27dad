"""What NVML says, through nvidia-ml-py (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.section import Item, Section


class NvmlPair(Item, frozen=True, kw_only=True):
    """An ordered pair of NVML indices, a != b."""

    a: int
    b: int
    level: Fact[str] = NOT_PROVIDED  # INTERNAL PIX PXB PHB NODE SYS: the PCIe distance, whatever NVLinks there are
    nvlinks: Fact[int] = NOT_PROVIDED  # active direct links, or both ends' links to one switch fabric
    p2p_read: Fact[str] = NOT_PROVIDED  # OK CNS GNS TNS DR NS U
    p2p_write: Fact[str] = NOT_PROVIDED
    p2p_nvlink: Fact[str] = NOT_PROVIDED
    p2p_atomics: Fact[str] = NOT_PROVIDED
    p2p_pcie: Fact[str] = NOT_PROVIDED


class Nvml(Section, frozen=True, kw_only=True):
    """Library, versions, GPUs and pairs."""

    init_error: Fact[str] = NOT_PROVIDED  # "" where nvmlInit succeeds; else DRIVER_NOT_LOADED, LIB_RM_VERSION_MISMATCH
    library_version: Fact[str] = NOT_PROVIDED
    driver_version: Fact[str] = NOT_PROVIDED
    cuda_driver_version: Fact[str] = NOT_PROVIDED  # highest CUDA the driver supports, "12.8"
    confidential_compute: Fact[bool] = NOT_PROVIDED
    count: Fact[int] = NOT_PROVIDED
    devices: Fact[tuple[Gpu, ...]] = NOT_PROVIDED
    pairs: Fact[tuple[NvmlPair, ...]] = NOT_PROVIDED
    stalled_calls: Fact[tuple[str, ...]] = NOT_PROVIDED  # functions that hung or crashed and were left out
