"""/proc, /dev, /etc and the files of the driver's packages."""

from __future__ import annotations

import re

from tests.sim import topology
from tests.sim.machine import Driver, Machine, Process
from tests.sim.machine_gpu import MIB, Gpu
from tests.sim.tree import Tree

HOST_NAMESPACES = {"pid": 4026531836, "ipc": 4026531839, "mnt": 4026531841, "net": 4026531840, "cgroup": 4026531835}
OWN_PID = 4190001


def write(tree: Tree, machine: Machine, *, privileged: bool) -> None:
    _kernel(tree, machine)
    _memory(tree, machine)
    _cpuinfo(tree, machine)
    _network(tree, machine)
    uid = 0 if privileged else 1000
    own = Process(pid=OWN_PID, command="/bin/bash", comm="bash", cgroup=machine.system.cgroup.path, uid=uid)
    first = "entrypoint.sh" if machine.system.container else "systemd"
    for process in (own, Process(pid=1, command=f"/sbin/{first}", comm=first, uid=0, ppid=0, cgroup="/init.scope")):
        _process(tree, machine, process, f"/proc/{process.pid}")
    _process(tree, machine, own, "/proc/self")
    for process in machine.system.processes:
        if process.visible:
            _process(tree, machine, process, f"/proc/{process.pid}")
    if machine.driver is not None and machine.driver.loaded and not machine.system.wsl:
        _driver(tree, machine, machine.driver)


def kernel_banner(machine: Machine) -> str:
    """What /proc/version says, and the first line of the kernel log."""
    default = (
        f"Linux version {machine.system.kernel} (buildd@lcy02-amd64-010) (gcc 13.2.0) #48-Ubuntu SMP PREEMPT_DYNAMIC"
    )
    return machine.system.proc_version or default


def _kernel(tree: Tree, machine: Machine) -> None:
    system = machine.system
    tree.write("/proc/version", kernel_banner(machine))
    tree.write("/proc/cmdline", system.cmdline)
    # A day, or five minutes after the last line of the kernel log.
    stamps = [float(stamp) for stamp in re.findall(r"^\[\s*(\d+\.\d+)\]", system.dmesg or "", re.MULTILINE)]
    tree.write("/proc/uptime", f"{max([86400.12, *(stamp + 300 for stamp in stamps)]):.2f} 1234567.89")
    tree.write("/proc/sys/kernel/osrelease", system.kernel)
    tree.write("/proc/sys/kernel/ostype", "Linux")
    tree.write("/proc/sys/kernel/hostname", machine.name)
    tree.write("/proc/sys/kernel/dmesg_restrict", int(system.dmesg_restricted))
    tree.write("/proc/sys/kernel/yama/ptrace_scope", "1")
    tree.write("/proc/sys/kernel/numa_balancing", "1" if len(system.cpu.nodes) > 1 else "0")
    tree.write("/etc/os-release", f'PRETTY_NAME="{system.os}"\nID={system.os_id}')
    tree.write("/etc/hostname", machine.name)
    tree.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {machine.name}")
    modules = [name for name in system.modules if tree.at(f"/sys/module/{name}").exists()]
    if machine.driver is not None and machine.driver.loaded and not system.wsl:
        modules += sorted(path.name for path in tree.at("/sys/module").iterdir() if path.name.startswith("nvidia"))
    tree.write("/proc/modules", "\n".join(f"{name} 16384 1 - Live 0x0000000000000000" for name in modules))


def _memory(tree: Tree, machine: Machine) -> None:
    system = machine.system
    available = system.memory_mib * 7 // 8 if system.available_mib is None else system.available_mib
    rows = {
        "MemTotal": system.memory_mib,
        "MemFree": available * 3 // 4,
        "MemAvailable": available,
        "Buffers": 512,
        "Cached": available // 5,
        "SwapTotal": system.swap_mib,
        "SwapFree": system.swap_mib,
        "Shmem": system.shm_used_mib,
    }
    text = "\n".join(f"{name + ':':<15} {mib * 1024:>8} kB" for name, mib in rows.items())
    tree.write("/proc/meminfo", f"{text}\nHugePages_Total:       0\nHugepagesize:       2048 kB")
    size = system.memory_mib // 2 if system.shm_mib is None else system.shm_mib
    tree.folder("/dev/shm")
    tree.write("/dev/shm.statvfs", f"{size * MIB} {(size - system.shm_used_mib) * MIB}")
    options = f"rw,nosuid,nodev,size={size * 1024}k" if system.shm_mib is not None else "rw,nosuid,nodev"
    root = ("overlay", "overlay") if system.container else ("/dev/nvme0n1p2", "ext4")
    mounts = [
        (root[0], "/", root[1], "rw,relatime"),
        ("proc", "/proc", "proc", "rw,nosuid,nodev,noexec,relatime"),
        ("sysfs", "/sys", "sysfs", "rw,nosuid,nodev,noexec,relatime"),
        ("cgroup2", "/sys/fs/cgroup", "cgroup2", "rw,nosuid,nodev,noexec,relatime"),
        ("shm" if system.container else "tmpfs", "/dev/shm", "tmpfs", options),
    ]
    tree.write("/proc/mounts", "\n".join(f"{source} {at} {kind} {how} 0 0" for source, at, kind, how in mounts))
    if system.container and machine.driver is not None:  # what NVIDIA's container toolkit mounts
        mounts += [
            (root[0], path, root[1], "ro,nosuid,nodev")
            for path in ("/usr/bin/nvidia-smi", "/run/nvidia-persistenced/socket")
        ]
        mounts += [("tmpfs", "/proc/driver/nvidia", "tmpfs", "rw,nosuid,nodev,noexec,relatime,mode=555")]
    rows_of_mounts = (
        f"{30 + number} 1 0:{20 + number} / {at} rw,relatime - {kind} {source} {how}"
        for number, (source, at, kind, how) in enumerate(mounts)
    )
    tree.write("/proc/self/mountinfo", "\n".join(rows_of_mounts))


_ARM_PARTS = {"Neoverse-V2": "0xd4f", "Cortex-A725": "0xd87"}


def _cpuinfo(tree: Tree, machine: Machine) -> None:
    cpu = machine.system.cpu
    if cpu.vendor == "ARM":
        cores = [number for listed in cpu.nodes for number in topology.cpus(listed)]
        core = f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: {_ARM_PARTS[cpu.model]}\n"
        tree.write("/proc/cpuinfo", "\n".join(f"processor\t: {number}\n{core}" for number in sorted(cores)))
        tree.write("/proc/sys/kernel/arch", "aarch64\n")
        return
    flags = "fpu vme de pse tsc msr pae mce cx8 apic sse sse2 avx avx2" + (" hypervisor" if cpu.hypervisor else "")
    per_socket = max(1, len(cpu.nodes) // cpu.sockets)
    blocks = [
        f"processor\t: {number}\nvendor_id\t: {cpu.vendor}\ncpu family\t: {6 if 'Intel' in cpu.vendor else 25}\n"
        f"model name\t: {cpu.model}\nphysical id\t: {node // per_socket}\nflags\t\t: {flags}\n"
        for node, listed in enumerate(cpu.nodes)
        for number in topology.cpus(listed)
    ]
    tree.write("/proc/cpuinfo", "\n".join(sorted(blocks, key=lambda block: int(block.split()[2]))))


def _network(tree: Tree, machine: Machine) -> None:
    names = ["lo", *(nic.name for nic in machine.system.nics)]
    header = "Inter-|   Receive  |  Transmit\n face |bytes packets |bytes packets\n"
    counters = "1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0"
    tree.write("/proc/net/dev", header + "\n".join(f"{name:>6}: {counters}" for name in names))
    route = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    with_address = [nic for nic in machine.system.nics if nic.ipv4 is not None and nic.up]
    for nic in with_address[:1]:
        octets = [int(part) for part in str(nic.ipv4).split(".")]
        gateway = f"01{octets[2]:02X}{octets[1]:02X}{octets[0]:02X}"
        route += f"{nic.name}\t00000000\t{gateway}\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    tree.write("/proc/net/route", route)
    trie = "".join(_trie_leaf(str(nic.ipv4)) for nic in with_address)
    tree.write("/proc/net/fib_trie", f"Main:\n{trie}Local:\n{_trie_leaf('127.0.0.1')}{trie}")
    tree.write("/proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo")


def _trie_leaf(address: str) -> str:
    return f"           |-- {address}\n              /32 host LOCAL\n"


def _process(tree: Tree, machine: Machine, process: Process, at: str) -> None:
    states = {"S": "sleeping", "R": "running", "D": "disk sleep", "Z": "zombie", "T": "stopped"}
    tree.write(f"{at}/comm", process.comm)
    # A zombie has no memory left, so no command line either.
    command = "" if process.state == "Z" else "\0".join(process.command.split()) + "\0"
    tree.write(f"{at}/cmdline", command.encode())
    numbers = [process.ppid, process.pid, process.pid, *[0] * 30]
    tree.write(f"{at}/stat", f"{process.pid} ({process.comm}) {process.state} {' '.join(map(str, numbers))}")
    ids = "\t".join([str(process.uid)] * 4)
    capabilities = "000001ffffffffff" if process.uid == 0 else "0" * 16
    all_cpus = ",".join(machine.system.cpu.nodes)
    tree.write(
        f"{at}/status",
        f"Name:\t{process.comm}\nState:\t{process.state} ({states[process.state]})\nTgid:\t{process.pid}\n"
        f"Pid:\t{process.pid}\nPPid:\t{process.ppid}\nUid:\t{ids}\nGid:\t{ids}\nNSpid:\t{process.pid}\n"
        f"Threads:\t1\nCapEff:\t{capabilities}\nSeccomp:\t0\nCpus_allowed_list:\t{all_cpus}\nMems_allowed_list:\t0",
    )
    cgroup = "/" if machine.system.container and at in {"/proc/self", "/proc/1"} else process.cgroup
    tree.write(f"{at}/cgroup", f"0::{cgroup}")
    if process.state == "D":
        tree.write(f"{at}/wchan", "os_acquire_rwlock_read")
    _limits(tree, machine, at)
    # In a container every namespace is another one than the host's, whose numbers are fixed by the kernel.
    for name, number in HOST_NAMESPACES.items():
        tree.raw_link(f"{at}/ns/{name}", f"{name}:[{number + (600 if machine.system.container else 0)}]")


def _limits(tree: Tree, machine: Machine, at: str) -> None:
    kib = machine.system.memlock_kib
    memlock = kib if isinstance(kib, str) else str(kib * 1024)
    rows = (
        ("Max stack size", "8388608", "unlimited", "bytes"),
        ("Max core file size", "0", "unlimited", "bytes"),
        ("Max processes", "256023", "256023", "processes"),
        ("Max open files", str(machine.system.nofile), str(machine.system.nofile), "files"),
        ("Max locked memory", memlock, memlock, "bytes"),
        ("Max address space", "unlimited", "unlimited", "bytes"),
    )
    header = f"{'Limit':<26}{'Soft Limit':<21}{'Hard Limit':<21}Units"
    tree.write(f"{at}/limits", "\n".join([header, *(f"{a:<26}{b:<21}{c:<21}{d}" for a, b, c, d in rows)]))


def _driver(tree: Tree, machine: Machine, driver: Driver) -> None:
    at = "/proc/driver/nvidia"
    version = driver.kernel_version
    if driver.flavour == "open":
        first = f"NVIDIA UNIX Open Kernel Module for x86_64  {version}  Release Build  (dvs-builder@U22-I3-B17-02-5)"
    else:
        first = f"NVIDIA UNIX x86_64 Kernel Module  {version}"
    compiler = "GCC version:  gcc version 13.2.0 (Ubuntu 13.2.0-23ubuntu4)"
    tree.write(f"{at}/version", f"NVRM version: {first}  {driver.built}\n{compiler}")
    tree.write(
        f"{at}/params",
        "ResmanDebugLevel: 4294967295\nRmLogonRC: 1\nModifyDeviceFiles: 1\nDeviceFileUID: 0\nDeviceFileGID: 0\n"
        "DeviceFileMode: 438\nEnableMSI: 1\nEnablePCIeGen3: 0\nNvLinkDisable: 0\nRmProfilingAdminOnly: 1\n"
        "EnableGpuFirmware: 18\nEnableGpuFirmwareLogs: 2\nEnableResizableBar: 0\nOpenRmEnableUnsupportedGpus: 1\n"
        f'RegistryDwords: "{driver.registry_dwords}"\nRegistryDwordsPerDevice: ""\nRmMsg: ""',
    )
    for index, gpu in enumerate(machine.gpus):
        _gpu(tree, gpu, index, driver)


def _gpu(tree: Tree, gpu: Gpu, index: int, driver: Driver) -> None:
    rows = (
        ("Model: ", gpu.name),
        ("IRQ:   ", str(120 + index)),
        ("GPU UUID: ", gpu.uuid),
        ("Video BIOS: ", "95.02.3c.80.a1"),
        ("Bus Type: ", "PCIe"),
        ("DMA Size: ", "47 bits"),
        ("DMA Mask: ", "0x7fffffffffff"),
        ("Bus Location: ", gpu.bdf),
        ("Device Minor: ", str(index if gpu.minor is None else gpu.minor)),
        ("GPU Firmware: ", driver.kernel_version if gpu.gsp else "N/A"),
        ("GPU Excluded:", "No"),
    )
    text = "\n".join(f"{name}\t {value}" for name, value in rows)
    tree.write(f"/proc/driver/nvidia/gpus/{gpu.bdf}/information", text)
