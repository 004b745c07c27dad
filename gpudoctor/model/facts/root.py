"""The root of all facts."""

from gpudoctor.model.facts.collective import Collective
from gpudoctor.model.facts.cuda import CudaDriver
from gpudoctor.model.facts.driver import Driver
from gpudoctor.model.facts.environment import Environment
from gpudoctor.model.facts.fit import Fit
from gpudoctor.model.facts.gpus import Gpus
from gpudoctor.model.facts.group import Group
from gpudoctor.model.facts.kernel_log import KernelLog
from gpudoctor.model.facts.limits import Limits
from gpudoctor.model.facts.log import Log
from gpudoctor.model.facts.machine import Machine
from gpudoctor.model.facts.memory import HostMemory
from gpudoctor.model.facts.model_shape import ModelShape
from gpudoctor.model.facts.nccl import Nccl
from gpudoctor.model.facts.network import Network
from gpudoctor.model.facts.nvidia_smi import NvidiaSmi
from gpudoctor.model.facts.nvml import Nvml
from gpudoctor.model.facts.pci import Pci
from gpudoctor.model.facts.python_target import PythonTarget
from gpudoctor.model.facts.ray import Ray
from gpudoctor.model.facts.rdma import Rdma
from gpudoctor.model.facts.section import Section
from gpudoctor.model.facts.shm import Shm
from gpudoctor.model.facts.smoke import Smoke
from gpudoctor.model.facts.topology import Topology
from gpudoctor.model.facts.torch import Torch
from gpudoctor.model.facts.torch_wheel import TorchWheel
from gpudoctor.model.facts.virtualization import Virtualization
from gpudoctor.model.facts.visible import Visible
from gpudoctor.model.facts.workload import Workload


class Facts(Section, frozen=True, kw_only=True):
    """Everything that is known; a fact path in a rule is a path from here, such as `shm.size_bytes`."""

    # Raw: filled by one probe each, or by readers of text.
    nvml: Nvml = Nvml()
    nvidia_smi: NvidiaSmi = NvidiaSmi()
    cuda: CudaDriver = CudaDriver()
    pci: Pci = Pci()
    driver: Driver = Driver()
    python: PythonTarget = PythonTarget()
    torch: Torch = Torch()
    nccl: Nccl = Nccl()
    environment: Environment = Environment()
    shm: Shm = Shm()
    limits: Limits = Limits()
    memory: HostMemory = HostMemory()
    virtualization: Virtualization = Virtualization()
    machine: Machine = Machine()
    network: Network = Network()
    rdma: Rdma = Rdma()
    kernel_log: KernelLog = KernelLog()
    collective: Collective = Collective()
    ray: Ray = Ray()
    workload: Workload = Workload()
    smoke: Smoke = Smoke()
    log: Log = Log()
    # Derived: computed from the others, never stored in a snapshot.
    gpus: Gpus = Gpus()
    visible: Visible = Visible()
    topology: Topology = Topology()
    torch_wheel: TorchWheel = TorchWheel()
    group: Group = Group()
    model: ModelShape = ModelShape()
    fit: Fit = Fit()


DERIVED: frozenset[str] = frozenset({"gpus", "visible", "topology", "torch_wheel", "group", "model", "fit"})
