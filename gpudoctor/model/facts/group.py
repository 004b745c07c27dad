"""The GPUs that the tensor-parallel group would use, and whether a better choice exists (derived)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.section import Section
from gpudoctor.model.facts.topology import GpuPair


class Group(Section, frozen=True, kw_only=True):
    """`size` is the TP size, at most the visible count. Without a TP size the group is all visible GPUs."""

    size: Fact[int] = NOT_PROVIDED
    gpus: Fact[tuple[Gpu, ...]] = NOT_PROVIDED
    pairs: Fact[tuple[GpuPair, ...]] = NOT_PROVIDED
    worst_link: Fact[str] = NOT_PROVIDED  # the slowest of the pairs' links
    all_nvlink: Fact[bool] = NOT_PROVIDED
    any_nvlink: Fact[bool] = NOT_PROVIDED
    all_p2p: Fact[bool] = NOT_PROVIDED  # driver grants read and write for each pair
    better_gpus: Fact[tuple[int, ...]] = NOT_PROVIDED  # NVML indices; absent not_applicable where ours is best
    better_worst_link: Fact[str] = NOT_PROVIDED
    better_visible_devices: Fact[str] = NOT_PROVIDED  # value for CUDA_VISIBLE_DEVICES, in the order in force
    memory_total_min_bytes: Fact[int] = NOT_PROVIDED
    memory_free_min_bytes: Fact[int] = NOT_PROVIDED
    usable_tp: Fact[int] = NOT_PROVIDED  # largest legal TP size that the visible GPUs allow
    nccl_uses_p2p: Fact[bool] = NOT_PROVIDED  # by NCCL's default level for this CPU, version and group
    transport: Fact[str] = NOT_PROVIDED  # P2P/NVLink | P2P/PCIe | SHM: what NCCL is expected to pick
