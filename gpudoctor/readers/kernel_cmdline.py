"""Kernel parameters that matter to GPUs; the rest (disks, serial consoles, cloud tokens) is nobody's business."""

from __future__ import annotations

_NAMES = frozenset(
    {
        "iommu",
        "intel_iommu",
        "amd_iommu",
        "amd_iommu_intr",
        "intremap",
        "pci",
        "nomodeset",
        "modprobe.blacklist",
        "module_blacklist",
        "rd.driver.blacklist",
        "hugepages",
        "hugepagesz",
        "default_hugepagesz",
        "transparent_hugepage",
        "mem",
        "memmap",
        "swiotlb",
        "isolcpus",
        "nohz_full",
        "maxcpus",
        "nr_cpus",
        "nosmt",
        "numa",
        "numa_balancing",
        "mitigations",
        "systemd.unified_cgroup_hierarchy",
        "cgroup_enable",
        "cgroup_no_v1",
    }
)
_PREFIXES = ("iommu.", "pcie_", "nouveau.", "nvidia", "vfio", "processor.", "intel_idle.", "arm-smmu")
_MAX_PARAMETER = 200
_MAX_PARAMETERS = 64


def relevant_parameters(cmdline: str) -> str:
    """The allow-listed parameters, in order, separated by one space. What follows "--" is for init."""
    kept: list[str] = []
    for word in cmdline.split():
        if word == "--":
            break
        name = word.partition("=")[0].replace("-", "_")
        if name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES):
            kept.append(word[:_MAX_PARAMETER])
    return " ".join(kept[:_MAX_PARAMETERS])


# The kernel takes a dash for an underscore.
_ALLOWED = frozenset(name.replace("-", "_") for name in _NAMES)
_ALLOWED_PREFIXES = tuple(prefix.replace("-", "_") for prefix in _PREFIXES)
