"""What follows from pasted facts alone: gaps that a probe would have filled on the machine itself.

A paste says "Driver Version: 535.183.01" once; the rules ask NVML, nvidia-smi and the kernel. Nothing is done where a
probe has looked: there a gap has its own reason.
"""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.data.nccl_variables import parse, table
from gpudoctor.data.releases import releases
from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Environment, Facts

_LIST = "gpudoctor's list"
_NO_TRANSLATION = ("iommu=pt", "iommu.passthrough=1", "iommu=off", "intel_iommu=off", "amd_iommu=off")
_OLDEST_OF_TORCH_2 = "2.14.3"


def is_pasted(facts: Facts) -> bool:
    """Whether no probe has been here: NVML was never asked, but by a program whose failure was pasted."""
    asked = facts.nvml.init_error
    untold = (asked.absent == "not_provided" and not asked.detail) or asked.source.startswith("nvidia-smi")
    return untold and facts.nvml.count.absent == facts.nvml.devices.absent == "not_provided"


def with_pasted(facts: Facts) -> Facts:
    """The same facts where a probe has been here."""
    if not is_pasted(facts):
        return facts
    facts = _with_driver(facts)
    facts = _with_torch(facts)
    facts = _with_guest(facts)
    return replace(facts, environment=_with_names(facts))


def translating(facts: Facts) -> Fact[bool]:
    """Whether the IOMMU translates for all devices, where a paste tells: the kernel's own word, else its parameters.

    Without a word nothing follows: AMD's is on by default where the BIOS switches it on, Intel's by distribution.
    """
    if not is_pasted(facts):
        return NOT_PROVIDED
    domain = facts.kernel_log.iommu_default_domain
    if domain.known:
        return known(domain.value == "Translated", domain.source)
    cmdline = facts.machine.cmdline
    words = (cmdline.or_none() or "").split()
    if any(word in _NO_TRANSLATION for word in words):
        return known(False, cmdline.source)
    return NOT_PROVIDED


def _with_driver(facts: Facts) -> Facts:
    """One driver, whoever names its version; the CUDA that its branch runs, where nobody says."""
    told: Fact[str] = _first(facts.nvidia_smi.driver_version, facts.nvml.driver_version, facts.driver.module_version)
    version = told.or_none()
    if version is None:
        return facts
    cuda = _first(facts.nvidia_smi.cuda_driver_version, facts.nvml.cuda_driver_version, facts.cuda.version)
    if not cuda.known and (newest := releases().cuda_of_driver(version)) is not None:
        cuda = known(newest, f"branch of driver {version}")
    return replace(
        facts,
        nvidia_smi=replace(facts.nvidia_smi, driver_version=told, cuda_driver_version=cuda),
        nvml=replace(facts.nvml, driver_version=told, cuda_driver_version=cuda),
        driver=replace(facts.driver, module_version=_first(facts.driver.module_version, told)),
    )


def _with_guest(facts: Facts) -> Facts:
    """A card sits behind a root port, so never on bus 0 of domain 0: there a hypervisor puts what it passes through."""
    if facts.virtualization.vm.known:
        return facts
    addresses = [gpu.pci_bus_id.or_none() or "" for gpu in facts.nvidia_smi.gpus.or_none() or ()]
    if not any(address.startswith("0000:00:") for address in addresses):
        return facts
    return replace(facts, virtualization=replace(facts.virtualization, vm=known("other", "GPUs on PCI bus 0")))


def _with_torch(facts: Facts) -> Facts:
    """What PyPI's torch of this version brings, where the paste does not say otherwise."""
    version = facts.torch.version.or_none()
    release = releases().torch_release(version) if version else None
    if release is None or facts.torch.cuda_build.or_none() is False:
        return facts
    source = f"PyPI's torch {version}"
    nccl = facts.nccl
    if not nccl.winner_version.known and not nccl.wheels.known:
        nccl = replace(nccl, winner_version=known(release.nccl, source))
    return replace(
        facts,
        torch=replace(
            facts.torch,
            cuda_version=_first(facts.torch.cuda_version, known(release.cuda, source)),
            nccl_pin=_first(facts.torch.nccl_pin, known(release.nccl, source)),
        ),
        nccl=nccl,
    )


def _with_names(facts: Facts) -> Environment:
    """Names of variables that NCCL does not read, as the probe judges them."""
    environment = facts.environment
    variables = environment.variables.or_none()
    if variables is None or environment.unknown_nccl.known:
        return environment
    names = [name for name in sorted(variables) if name.startswith("NCCL_")]
    version = facts.nccl.winner_version.or_none() or facts.torch.nccl_linked_version.or_none()
    unknown = tuple(name for name in names if not table().is_known(name))
    meant = tuple(dict.fromkeys(name for name in map(table().meant_by, unknown) if name))
    removed = tuple(name for name in names if table().is_removed(name, parse(version or _OLDEST_OF_TORCH_2)))
    newer = tuple(name for name in names if table().is_newer(name, parse(version))) if version else None
    return replace(
        environment,
        unknown_nccl=known(unknown, _LIST),
        unknown_nccl_meant=known(meant, _LIST),
        removed_nccl=known(removed, _LIST),
        newer_nccl=environment.newer_nccl if newer is None else known(newer, f"{_LIST}, for NCCL {version}"),
    )


def _first(*facts: Fact[str]) -> Fact[str]:
    return next((fact for fact in facts if fact.known), facts[0] if facts else NOT_PROVIDED)
