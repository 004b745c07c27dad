"""Facts of made-up machines for the sample reports."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import (
    Driver,
    Facts,
    Gpu,
    GpuPair,
    Gpus,
    Group,
    HostMemory,
    Machine,
    Nccl,
    Nvml,
    PythonTarget,
    Shm,
    Topology,
    Torch,
    Virtualization,
    Visible,
    Workload,
)

GIB = 1024**3


def gpu(index: int, name: str, total_gib: float, free_gib: float) -> Gpu:
    return Gpu(
        index=index,
        access_error=known("", "nvml"),
        name=known(name, "nvml"),
        uuid=known(f"GPU-00000000-0000-0000-0000-00000000000{index:x}", "nvml"),
        memory_total_bytes=known(int(total_gib * GIB), "nvml"),
        memory_free_bytes=known(int(free_gib * GIB), "nvml"),
    )


def pair(a: int, b: int, link: str, p2p: str | None) -> GpuPair:
    state = known(p2p, "nvml") if p2p else absent("timeout", source="nvml")
    return GpuPair(a=a, b=b, link=known(link, "nvml"), p2p_read=state, p2p_write=state)


def all_pairs(count: int, link: str, p2p: str | None) -> tuple[GpuPair, ...]:
    return tuple(pair(a, b, link, p2p) for a in range(count) for b in range(a + 1, count))


def gpus_section(devices: tuple[Gpu, ...], visible: tuple[int, ...]) -> Gpus:
    return Gpus(
        count=known(len(devices), "nvml"),
        devices=known(devices, "nvml"),
        visible_count=known(len(visible), "nvml"),
        visible=known(tuple(devices[index] for index in visible), "nvml"),
    )


def software(torch: str, nccl: str, vllm: str) -> dict[str, PythonTarget | Torch | Nccl]:
    return {
        "python": PythonTarget(
            executable=known("~/venv/bin/python", "option"),
            version=known("3.12.8", "python"),
            vllm=known(vllm, "dist-info"),
        ),
        "torch": Torch(installed=known(True, "files"), version=known(torch, "torch/version.py")),
        "nccl": Nccl(winner_version=known(nccl, "libnccl.so.2")),
    }


def two_cards() -> Facts:
    """Two RTX 4090 behind the host bridge of one CPU; the run asks for four."""
    devices = (gpu(0, "NVIDIA GeForce RTX 4090", 23.99, 23.1), gpu(1, "NVIDIA GeForce RTX 4090", 23.99, 23.5))
    base = software("2.9.1+cu128", "2.27.5", "0.11.2")
    return replace(
        replace(Facts(), **base),
        nvml=Nvml(driver_version=known("570.86.15", "nvml"), cuda_driver_version=known("12.8", "nvml")),
        driver=Driver(module_open=known(False, "/proc")),
        gpus=gpus_section(devices, (0, 1)),
        visible=Visible(raw=absent("not_applicable"), variable=known("CUDA_VISIBLE_DEVICES", "shell")),
        topology=Topology(pairs=known(all_pairs(2, "PHB", "CNS"), "nvml")),
        machine=Machine(
            os=known("Ubuntu 24.04.1 LTS", "/etc/os-release"), cpu_model=known("AMD Ryzen 9 7950X", "/proc")
        ),
        memory=HostMemory(total_bytes=known(62 * GIB, "/proc/meminfo")),
        shm=Shm(size_bytes=known(31 * GIB, "statvfs")),
        virtualization=Virtualization(container=known("none", "/proc"), vm=known("none", "/proc")),
        workload=Workload(
            framework=known("vllm", "launch command"),
            model=known("meta-llama/Llama-3.1-70B-Instruct", "launch command"),
            tp=known(4, "launch command"),
        ),
    )


def eight_mixed() -> Facts:
    """Eight A100 PCIe with NVLink bridges between neighbours, two sockets, one GPU lost; P2P partly refused."""
    free = (78.6, 78.6, 12.4, 3.1, 78.6, 78.6, 78.6)
    devices = tuple(gpu(index, "NVIDIA A100 80GB PCIe", 79.25, free_gib) for index, free_gib in enumerate(free))
    lost = Gpu(index=7, access_error=known("GPU_IS_LOST", "nvml"), name=known("NVIDIA A100 80GB PCIe", "pci"))
    devices = (*devices, lost)
    base = software("2.8.0+cu126", "2.26.2", "0.10.1")
    chosen = tuple(devices[index] for index in (0, 2, 4, 5))
    return replace(
        replace(Facts(), **base),
        nvml=Nvml(driver_version=known("560.35.05", "nvml"), cuda_driver_version=known("12.6", "nvml")),
        driver=Driver(module_open=known(True, "/proc")),
        gpus=gpus_section(devices, (0, 2, 4, 5)),
        visible=Visible(
            raw=known("0,2,4,5", "shell"),
            set_by=known("shell", "shell"),
            variable=known("CUDA_VISIBLE_DEVICES", "shell"),
        ),
        topology=Topology(pairs=known(tuple(_a100_pair(a, b) for a in range(8) for b in range(a + 1, 8)), "nvml")),
        group=Group(
            gpus=known(chosen, "derived"),
            better_gpus=known((0, 1, 4, 5), "derived"),
            better_worst_link=known("PXB", "derived"),
        ),
        machine=Machine(
            os=known("Rocky Linux 9.4", "/etc/os-release"),
            cpu_model=known("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "/proc"),
            sockets=known(2, "/sys"),
        ),
        memory=HostMemory(total_bytes=known(1006 * GIB, "/proc/meminfo")),
        shm=Shm(size_bytes=known(64 * 1024**2, "statvfs")),
        virtualization=Virtualization(container=known("docker", "/proc"), vm=known("none", "/proc")),
        workload=Workload(framework=known("vllm", "launch command"), tp=known(4, "launch command")),
    )


def _a100_pair(a: int, b: int) -> GpuPair:
    if b == a + 1 and a % 2 == 0:
        return pair(a, b, "NV12", "OK")
    if a // 4 == b // 4:
        return pair(a, b, "PXB", "OK" if 7 not in (a, b) else None)
    return pair(a, b, "SYS", "CNS")


def eight_switched() -> Facts:
    """A healthy NVSwitch machine."""
    devices = tuple(gpu(index, "NVIDIA H100 80GB HBM3", 79.65, 79.1) for index in range(8))
    base = software("2.9.1+cu128", "2.27.5", "0.11.2")
    return replace(
        replace(Facts(), **base),
        nvml=Nvml(driver_version=known("570.133.20", "nvml"), cuda_driver_version=known("12.8", "nvml")),
        driver=Driver(module_open=known(True, "/proc")),
        gpus=gpus_section(devices, tuple(range(8))),
        visible=Visible(raw=absent("not_applicable")),
        topology=Topology(pairs=known(all_pairs(8, "NV18", "OK"), "nvml")),
        machine=Machine(
            os=known("Ubuntu 22.04.5 LTS", "/etc/os-release"),
            cpu_model=known("Intel(R) Xeon(R) Platinum 8480C", "/proc"),
            sockets=known(2, "/sys"),
        ),
        memory=HostMemory(total_bytes=known(2015 * GIB, "/proc/meminfo")),
        shm=Shm(size_bytes=known(1007 * GIB, "statvfs")),
    )


def sixteen() -> Facts:
    """Two boards of eight in one machine, for the width of the matrix."""
    devices = tuple(gpu(index, "NVIDIA A100-SXM4-40GB", 39.5, 39.5 - index) for index in range(16))
    pairs = tuple(pair(a, b, "NV12" if a // 8 == b // 8 else "SYS", "OK") for a in range(16) for b in range(a + 1, 16))
    return Facts(gpus=gpus_section(devices, tuple(range(16))), topology=Topology(pairs=known(pairs, "nvml")))


def no_gpu() -> Facts:
    """A laptop."""
    return Facts(
        gpus=Gpus(count=known(0, "pci"), pci_count=known(0, "/sys"), visible_count=known(0, "pci")),
        driver=Driver(module_loaded=known(False, "/proc")),
        machine=Machine(os=known("Debian GNU/Linux 12 (bookworm)", "/etc/os-release")),
        memory=HostMemory(total_bytes=known(15 * GIB, "/proc/meminfo")),
    )
