"""The machine file: one YAML file that says everything the probes could see of a machine.

`gpu_defaults` is merged below each entry of `gpus`. A variant of another machine names it as `base` and says only what
differs; for single GPUs in `gpu_changes`, by NVML index.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.sim.machine_gpu import Gpu, Record
from tests.sim.yaml_strict import load_yaml

HOSTS = Path(__file__).resolve().parents[2] / "fixtures" / "hosts"
COMM_LENGTH = 15  # of a process name: TASK_COMM_LEN without its final zero


class Driver(Record, frozen=True, kw_only=True):
    version: str  # of the user-space libraries
    cuda: int  # 12080 is 12.8
    flavour: Literal["open", "proprietary"] = "proprietary"
    module_version: str | None = None  # of the loaded kernel module where it is another one
    loaded: bool = True
    nvml_init: int = 0  # what nvmlInit answers
    peermem: bool = False
    uvm: bool = True
    registry_dwords: str = ""
    built: str = "Tue Sep 23 09:55:41 UTC 2025"
    fabric_manager: Literal["running", "not_running", "not_installed"] = "not_installed"

    @property
    def branch(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def kernel_version(self) -> str:
        return self.module_version or self.version


class P2p(Record, frozen=True, kw_only=True):
    """Status by capability, in NVML's order; see the legend of `nvidia-smi topo -p2p`."""

    read: str = "OK"
    write: str = "OK"
    nvlink: str = "NS"
    atomics: str = "NS"
    pci: str = "OK"


class Cuda(Record, frozen=True, kw_only=True):
    init: int = 0
    order: tuple[int, ...] = ()  # NVML indices, fastest first; default: NVML's order
    peer: Literal["as_p2p", "all", "none"] = "as_p2p"
    peer_pairs: dict[str, bool] = msgspec.field(default_factory=dict)  # "0-1" both ways, "0>1" one way


class Bridge(Record, frozen=True, kw_only=True):
    at: str
    kind: Literal["root", "upstream", "downstream"]
    numa: int = -1  # of a root port; everything below shares it
    acs: str | None = None  # control word, "0x001d"; null: no such capability
    gen: int = 4
    width: int = 16
    max_gen: int = 0  # default: gen
    max_width: int = 0
    pci_id: str = "8086347a"  # vendor and device
    below: tuple[Bridge | str, ...] = ()


class Cpu(Record, frozen=True, kw_only=True):
    vendor: str
    model: str
    nodes: list[str]  # CPU list of each NUMA node
    sockets: int = 1
    hypervisor: bool = False


class Iommu(Record, frozen=True, kw_only=True):
    units: tuple[str, ...] = ()  # names in /sys/class/iommu: ivhd0, dmar0
    type: Literal["identity", "DMA", "DMA-FQ"] = "identity"
    shared_groups: tuple[list[str], ...] = ()  # devices that share a group; every other one has its own


class Nvswitch(Record, frozen=True, kw_only=True):
    bdf: str
    pci_id: str = "22a3"


class Nic(Record, frozen=True, kw_only=True):
    name: str
    bdf: str | None = None
    up: bool = True
    speed_mbps: int = 1000
    mtu: int = 1500
    address: str = "02:00:00:00:00:01"
    ipv4: str | None = None
    pci_id: str = "808615f3"
    type: int = 1  # 1 Ethernet, 32 InfiniBand, 772 loopback


class Infiniband(Record, frozen=True, kw_only=True):
    name: str
    bdf: str
    state: str = "4: ACTIVE"
    rate: str = "400 Gb/sec (4X NDR)"
    link_layer: Literal["InfiniBand", "Ethernet"] = "InfiniBand"
    pci_id: str = "15b31021"


class Process(Record, frozen=True, kw_only=True):
    pid: int
    command: str
    comm: str
    state: str = "S"
    uid: int = 1000
    ppid: int = 1
    cgroup: str = "/user.slice/user-1000.slice/session-3.scope"
    visible: bool = True  # false: in another pid namespace, so not in /proc

    def __post_init__(self) -> None:
        """The kernel cuts names of processes."""
        if len(self.comm) > COMM_LENGTH:
            raise ValueError(f"comm: {self.comm!r} has more than {COMM_LENGTH} characters")


class Cgroup(Record, frozen=True, kw_only=True):
    path: str = "/user.slice/user-1000.slice/session-3.scope"
    memory_max: str = "max"
    memory_current_mib: int = 2048
    pids_max: str = "max"


class System(Record, frozen=True, kw_only=True):
    cpu: Cpu
    kernel: str = "6.8.0-48-generic"
    os: str = "Ubuntu 24.04.1 LTS"
    os_id: str = "ubuntu"
    proc_version: str | None = None
    cmdline: str = "BOOT_IMAGE=/boot/vmlinuz-6.8.0-48-generic root=UUID=5b3c2f0e-7a51-4c55-8f0e-2f4f1f6c9a10 ro quiet"
    dmi_vendor: str = "To Be Filled By O.E.M."
    dmi_product: str = "To Be Filled By O.E.M."
    dmi_board: str = "ProArt X670E-CREATOR WIFI"
    secure_boot: bool | None = False  # null: no EFI variables
    glibc: str = "2.39"
    virt: str = "none"  # what systemd-detect-virt prints
    container: Literal["docker", "kubernetes", "podman"] | None = None
    wsl: bool = False
    memory_mib: int = 65536
    available_mib: int | None = None
    swap_mib: int = 8192
    shm_mib: int | None = None  # default: half the memory, as Linux does
    shm_used_mib: int = 0
    memlock_kib: int | Literal["unlimited"] = "unlimited"
    nofile: int = 1048576
    cgroup: Cgroup = Cgroup()
    iommu: Iommu = Iommu()
    nics: tuple[Nic, ...] = ()
    infiniband: tuple[Infiniband, ...] = ()
    processes: tuple[Process, ...] = ()
    modules: tuple[str, ...] = ()
    dmesg: str = ""
    dmesg_restricted: bool = False
    files: dict[str, str] = msgspec.field(default_factory=dict)  # further files, by absolute path


class SmiError(Record, frozen=True, kw_only=True):
    text: str
    code: int


class Machine(Record, frozen=True, kw_only=True):
    name: str
    summary: str
    system: System
    driver: Driver | None = None
    gpus: tuple[Gpu, ...] = ()
    pci: tuple[Bridge | str, ...] = ()
    nvswitches: tuple[Nvswitch, ...] = ()
    p2p: P2p = P2p()
    p2p_pairs: dict[str, P2p] = msgspec.field(default_factory=dict)  # "0-1" both ways, "0>1" one way
    pcie_levels: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # "0-1": PHB, where it does not follow from the tree (virtual machines)
    cuda: Cuda = Cuda()
    faults: str = ""  # always on; same grammar as GPUSIM_FAULTS
    smi: Literal["works", "absent", "hangs"] = "works"
    smi_error: SmiError | None = None  # what it prints instead of any answer
    env: dict[str, str] = msgspec.field(default_factory=dict)  # what the shell of this machine sets


def merge(base: Any, over: Any) -> Any:
    """`over` on top of `base`: mappings key by key, anything else replaces."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: merge(base.get(key), value) for key, value in over.items()}}


def names() -> list[str]:
    """Every machine there is."""
    return sorted(path.stem for path in HOSTS.glob("*.yaml"))


def load(name: str) -> Machine:
    """The machine of `fixtures/hosts/NAME.yaml`."""
    return load_file(HOSTS / f"{name}.yaml")


def load_file(path: Path) -> Machine:
    """A machine file."""
    document = _document(path)
    defaults = document.pop("gpu_defaults", {})
    changes = document.pop("gpu_changes", {})
    gpus = [merge(defaults, gpu) for gpu in document.get("gpus", [])]
    document["gpus"] = [merge(gpu, changes.get(str(index), {})) for index, gpu in enumerate(gpus)]
    machine = msgspec.convert({"name": path.stem, **document}, Machine)
    if machine.name != path.stem:
        raise ValueError(f"{path}: name {machine.name!r} is not the file's")
    return machine


def _document(path: Path) -> dict[str, Any]:
    """What the file says, on top of the machine that it is a variant of."""
    own = load_yaml(path)
    base = own.pop("base", None)
    if base is None:
        return own
    merged = merge(_document(HOSTS / f"{base}.yaml"), own)
    if not isinstance(merged, dict):
        raise TypeError(f"{path}: not a mapping")
    return merged
