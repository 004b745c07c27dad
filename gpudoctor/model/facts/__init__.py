"""The catalogue of facts: one file a section, frozen structs, units in names.

A *raw* section is filled by exactly one probe (or, offline, by readers of text). A *derived* section is computed
from the others by `gpudoctor.derive`, which is where several sources of one fact are joined.
"""

from gpudoctor.model.facts.collective import Collective, RankProgress
from gpudoctor.model.facts.cuda import CudaDevice, CudaDriver, PeerAccess
from gpudoctor.model.facts.driver import Driver
from gpudoctor.model.facts.environment import Environment
from gpudoctor.model.facts.fit import Fit
from gpudoctor.model.facts.gpus import Gpu, GpuProcess, Gpus
from gpudoctor.model.facts.group import Group
from gpudoctor.model.facts.kernel_log import KernelLog, Xid
from gpudoctor.model.facts.limits import Limits
from gpudoctor.model.facts.log import Log, PeerTest, RankDeath, RankPhase, RankStack
from gpudoctor.model.facts.machine import Machine
from gpudoctor.model.facts.memory import HostMemory
from gpudoctor.model.facts.model_shape import ModelShape
from gpudoctor.model.facts.nccl import Nccl, NcclLibrary
from gpudoctor.model.facts.network import Interface, Network
from gpudoctor.model.facts.nvidia_smi import NvidiaSmi, SmiP2p, SmiPair
from gpudoctor.model.facts.nvml import Nvml, NvmlPair
from gpudoctor.model.facts.pci import Pci, PciGpu, PciPath
from gpudoctor.model.facts.python_target import Distribution, PythonTarget
from gpudoctor.model.facts.ray import Ray
from gpudoctor.model.facts.rdma import Rdma, RdmaDevice
from gpudoctor.model.facts.root import Facts
from gpudoctor.model.facts.section import Item, Section
from gpudoctor.model.facts.shm import Shm
from gpudoctor.model.facts.smoke import Smoke, TriedPair
from gpudoctor.model.facts.topology import GpuPair, Topology
from gpudoctor.model.facts.torch import Torch
from gpudoctor.model.facts.torch_wheel import TorchWheel
from gpudoctor.model.facts.virtualization import Virtualization
from gpudoctor.model.facts.visible import Visible
from gpudoctor.model.facts.workload import Workload

__all__ = [
    "Collective",
    "CudaDevice",
    "CudaDriver",
    "Distribution",
    "Driver",
    "Environment",
    "Facts",
    "Fit",
    "Gpu",
    "GpuPair",
    "GpuProcess",
    "Gpus",
    "Group",
    "HostMemory",
    "Interface",
    "Item",
    "KernelLog",
    "Limits",
    "Log",
    "Machine",
    "ModelShape",
    "Nccl",
    "NcclLibrary",
    "Network",
    "NvidiaSmi",
    "Nvml",
    "NvmlPair",
    "Pci",
    "PciGpu",
    "PciPath",
    "PeerAccess",
    "PeerTest",
    "PythonTarget",
    "RankDeath",
    "RankPhase",
    "RankProgress",
    "RankStack",
    "Ray",
    "Rdma",
    "RdmaDevice",
    "Section",
    "Shm",
    "SmiP2p",
    "SmiPair",
    "Smoke",
    "Topology",
    "Torch",
    "TorchWheel",
    "TriedPair",
    "Virtualization",
    "Visible",
    "Workload",
    "Xid",
]
