"""CPU, kernel, board (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Machine(Section, frozen=True, kw_only=True):
    """The computer around the GPUs. The host name is not a fact: it identifies a person's machine."""

    os: Fact[str] = NOT_PROVIDED  # PRETTY_NAME
    kernel: Fact[str] = NOT_PROVIDED
    architecture: Fact[str] = NOT_PROVIDED
    glibc: Fact[str] = NOT_PROVIDED
    cpu_vendor: Fact[str] = NOT_PROVIDED  # intel | amd | arm | other
    cpu_model: Fact[str] = NOT_PROVIDED
    cpus: Fact[int] = NOT_PROVIDED  # online
    cpus_allowed: Fact[int] = NOT_PROVIDED  # by affinity and cgroup
    sockets: Fact[int] = NOT_PROVIDED
    numa_nodes: Fact[int] = NOT_PROVIDED
    cmdline: Fact[str] = NOT_PROVIDED  # kernel parameters, allow-listed: iommu, pci, nouveau, hugepages ...
    board: Fact[str] = NOT_PROVIDED
    secure_boot: Fact[bool] = NOT_PROVIDED
    root: Fact[bool] = NOT_PROVIDED
