"""Small hand-made facts for the derive tests: what the probes would have brought."""

from __future__ import annotations

from itertools import combinations, permutations

from gpudoctor.model.fact import known
from gpudoctor.model.facts import CudaDevice, CudaDriver, Environment, Facts, Gpu, Machine, Nvml, NvmlPair, Workload


def gpu(index: int, name: str = "NVIDIA GeForce RTX 3090") -> Gpu:
    return Gpu(
        index=index,
        name=known(name, "nvml"),
        uuid=known(f"GPU-0000000{index}-1111-2222-3333-444444444444", "nvml"),
        pci_bus_id=known(f"0000:{index + 1:02x}:00.0", "nvml"),
        memory_total_bytes=known(24 << 30, "nvml"),
        memory_free_bytes=known((23 - index) << 30, "nvml"),
    )


def machine(
    names: list[str],
    links: dict[tuple[int, int], str] | None = None,
    *,
    variables: dict[str, str] | None = None,
    workload: Workload | None = None,
    cuda_order: list[int] | None = None,
    status: str = "OK",
    cpu: str = "intel",
) -> Facts:
    gpus = tuple(gpu(index, name) for index, name in enumerate(names))
    pairs = []
    for a, b in permutations(range(len(names)), 2):
        link = (links or {}).get((min(a, b), max(a, b)), "SYS")
        pairs.append(
            NvmlPair(
                a=a,
                b=b,
                level=known("PHB" if link.startswith("NV") else link, "nvml"),
                nvlinks=known(int(link[2:]) if link.startswith("NV") else 0, "nvml"),
                p2p_read=known(status, "nvml"),
                p2p_write=known(status, "nvml"),
            )
        )
    cuda = CudaDriver()
    if cuda_order is not None:
        devices = tuple(CudaDevice(index=place, uuid=gpus[nvml].uuid) for place, nvml in enumerate(cuda_order))
        cuda = CudaDriver(init_error=known("", "cuda"), devices=known(devices, "cuda"))
    assert len(pairs) == 2 * len(list(combinations(names, 2)))
    return Facts(
        nvml=Nvml(
            init_error=known("", "nvml"),
            count=known(len(names), "nvml"),
            devices=known(gpus, "nvml"),
            pairs=known(tuple(pairs), "nvml"),
        ),
        cuda=cuda,
        environment=Environment(variables=known(variables or {}, "environment"), launch=known({}, "environment")),
        machine=Machine(cpu_vendor=known(cpu, "proc")),
        workload=workload or Workload(),
    )
