"""Which GPU a line of the kernel log is about: the log knows bus addresses only."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Gpu, KernelLog, Xid


def with_gpu_indices(log: KernelLog, devices: tuple[Gpu, ...]) -> KernelLog:
    """The log with the NVML index of each Xid's GPU; not applicable for a switch or a GPU that is gone."""
    xids = log.xids.or_none()
    if not xids:
        return log
    indices = {bus_id: gpu.index for gpu in devices if (bus_id := gpu.pci_bus_id.or_none())}
    return replace(log, xids=known(tuple(_with_index(xid, indices) for xid in xids), log.xids.source))


def _with_index(xid: Xid, indices: dict[str, int]) -> Xid:
    index = indices.get(xid.pci_bus_id)
    gone: Fact[int] = absent("not_applicable", "the driver lists no GPU at this address")
    return replace(xid, gpu_index=gone if index is None else known(index, "nvml"))
