"""What the nvidia-smi program prints (raw): the cross-check of NVML, and its stand-in where NVML is not to be had."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.section import Item, Section


class SmiPair(Item, frozen=True, kw_only=True):
    """One cell above the diagonal of `nvidia-smi topo -m`; a < b."""

    a: int
    b: int
    link: str  # NV4, PIX, PXB, PHB, NODE, SYS


class SmiP2p(Item, frozen=True, kw_only=True):
    """One cell of `nvidia-smi topo -p2p`; ordered."""

    a: int
    b: int
    capability: str  # read write nvlink atomics pcie
    status: str  # OK CNS GNS TNS DR NS U


class NvidiaSmi(Section, frozen=True, kw_only=True):
    """The program's answers."""

    path: Fact[str] = NOT_PROVIDED
    error: Fact[str] = NOT_PROVIDED  # "" where it runs; else its message
    driver_version: Fact[str] = NOT_PROVIDED
    cuda_driver_version: Fact[str] = NOT_PROVIDED
    gpus: Fact[tuple[Gpu, ...]] = NOT_PROVIDED
    gpus_partial: Fact[bool] = NOT_PROVIDED  # there may be more GPUs: a cut paste, or a list of those in use
    models: Fact[tuple[str, ...]] = NOT_PROVIDED  # named somewhere without saying how many there are
    topology: Fact[tuple[SmiPair, ...]] = NOT_PROVIDED
    p2p: Fact[tuple[SmiP2p, ...]] = NOT_PROVIDED
    cpu_affinity: Fact[tuple[str, ...]] = NOT_PROVIDED  # by GPU index
