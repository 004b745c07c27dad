"""The CUDA driver API, asked through ctypes without creating a context (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class CudaDevice(Item, frozen=True, kw_only=True):
    """A device in CUDA order, CUDA_VISIBLE_DEVICES not applied."""

    index: int
    uuid: Fact[str] = NOT_PROVIDED
    name: Fact[str] = NOT_PROVIDED
    pci_bus_id: Fact[str] = NOT_PROVIDED
    compute_capability: Fact[str] = NOT_PROVIDED
    memory_pools: Fact[bool] = NOT_PROVIDED  # stream-ordered allocation; off on a vGPU without unified memory


class PeerAccess(Item, frozen=True, kw_only=True):
    """cuDeviceCanAccessPeer for an ordered pair of PCI bus ids."""

    a: str
    b: str
    allowed: Fact[bool] = NOT_PROVIDED
    performance_rank: Fact[int] = NOT_PROVIDED
    native_atomics: Fact[bool] = NOT_PROVIDED


class CudaDriver(Section, frozen=True, kw_only=True):
    """cuInit and what follows it, once with all devices and once as the workload would see them."""

    library: Fact[str] = NOT_PROVIDED  # path of the libcuda that was loaded
    init_error: Fact[str] = NOT_PROVIDED  # "" or the name, e.g. CUDA_ERROR_NO_DEVICE, CUDA_ERROR_SYSTEM_NOT_READY
    init_error_code: Fact[int] = NOT_PROVIDED
    version: Fact[str] = NOT_PROVIDED  # "12.8"
    device_count: Fact[int] = NOT_PROVIDED
    devices: Fact[tuple[CudaDevice, ...]] = NOT_PROVIDED
    peer_access: Fact[tuple[PeerAccess, ...]] = NOT_PROVIDED
    stalled_calls: Fact[tuple[str, ...]] = NOT_PROVIDED  # functions that hung or crashed and were left out
    visible_init_error: Fact[str] = NOT_PROVIDED
    visible_uuids: Fact[tuple[str, ...]] = NOT_PROVIDED  # in the order in which the workload's process numbers them
