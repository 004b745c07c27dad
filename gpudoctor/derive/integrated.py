"""A GPU inside the CPU's package: it shares the machine's memory, and what it reports of a PCIe link means nothing."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.model.fact import Fact, absent
from gpudoctor.model.facts import Gpu, HostMemory


def integrated(gpu: Gpu, memory: HostMemory) -> Gpu:
    """NVML answers "not supported" for the memory of a GB10; a link of one lane at generation 1 is no defect there.

    Source: DGX Spark's known issues, "nvidia-smi reports memory usage not supported" (2026-01).
    """
    no_link: Fact[int] = absent("not_applicable", "the GPU is part of the CPU's package")
    return replace(
        gpu,
        memory_total_bytes=_or_shared(gpu.memory_total_bytes, memory.total_bytes),
        memory_free_bytes=_or_shared(gpu.memory_free_bytes, memory.available_bytes),
        bar1_total_bytes=no_link,
        pcie_generation=no_link,
        pcie_generation_max=no_link,
        pcie_generation_gpu_max=no_link,
        pcie_width=no_link,
        pcie_width_max=no_link,
        pcie_width_gpu_max=no_link,
    )


def _or_shared(own: Fact[int], shared: Fact[int]) -> Fact[int]:
    return own if own.known or not shared.known else shared
