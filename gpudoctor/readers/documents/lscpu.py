"""`lscpu`, also inside collect_env, and /proc/cpuinfo."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Facts, Virtualization
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._cpu import cpu_facts, hypervisor
from gpudoctor.readers.documents._text import MAX_LINE, count_in, pairs, plain

SOURCE = "lscpu"

_VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "HygonGenuine": "amd", "ARM": "arm", "NVIDIA": "arm"}
_KEYS = frozenset({
    "Architecture", "Vendor ID", "vendor_id", "Model name", "model name", "CPU(s)", "Socket(s)", "NUMA node(s)",
    "Hypervisor vendor", "Virtualization type", "physical id",
})  # fmt: skip
_ARCHITECTURES = ("x86_64", "aarch64", "arm64", "ppc64le")
_CPUINFO = frozenset({"vendor_id", "model name", "physical id"})


def _begins(line: str) -> bool:
    key, colon, value = line[:MAX_LINE].partition(":")
    return bool(colon and value.strip()) and key.strip() in _KEYS


def _read(lines: Sequence[str]) -> Facts:
    said: dict[str, str] = {}
    packages: set[str] = set()
    for key, value in pairs(lines):
        said.setdefault(key, value)
        if key == "physical id":
            packages.add(value)
    vendor = _VENDORS.get(said.get("Vendor ID") or said.get("vendor_id") or "")
    model = said.get("Model name") or said.get("model name") or ""
    cpu = cpu_facts(model, SOURCE)
    if vendor is not None:
        cpu = replace(cpu, cpu_vendor=known(vendor, SOURCE), cpu_model=_text(model))
    sockets = count_in(said.get("Socket(s)", "")) or (len(packages) or None)
    architecture = said.get("Architecture", "")
    return Facts(
        machine=replace(
            cpu,
            architecture=known(architecture, SOURCE) if architecture in _ARCHITECTURES else NOT_PROVIDED,
            cpus=_count(count_in(said.get("CPU(s)", ""))),
            sockets=_count(sockets),
            numa_nodes=_count(count_in(said.get("NUMA node(s)", ""))),
        ),
        virtualization=_virtualization(said),
    )


def _virtualization(said: dict[str, str]) -> Virtualization:
    """A whole lscpu without a hypervisor's line is of a machine without one."""
    vendor = hypervisor(said.get("Hypervisor vendor", ""))
    if vendor:
        return Virtualization(vm=known(vendor, SOURCE))
    whole = "Architecture" in said and "NUMA node(s)" in said and said.get("Virtualization type") is None
    return Virtualization(vm=known("none", SOURCE)) if whole else Virtualization()


def _text(value: str) -> Fact[str]:
    value = plain(value)
    return known(value, SOURCE) if value else NOT_PROVIDED


def _count(value: int | None) -> Fact[int]:
    return known(value, SOURCE) if value else NOT_PROVIDED


DOCUMENT = Document(
    name=SOURCE,
    literals=(*(f"{key}:" for key in sorted(_KEYS - _CPUINFO)), *(f"{key}\t" for key in sorted(_CPUINFO))),
    begins=_begins,
    read=_read,
    max_lines=2000,
    scattered=True,
)
