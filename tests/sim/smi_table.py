"""The table of `nvidia-smi` without arguments, and `nvidia-smi -L`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim.machine import Machine
from tests.sim.machine_gpu import Gpu, GpuProcess

_WIDTH = 89
COMPUTE_MODES = {0: "Default", 1: "E. Thread", 2: "Prohibited", 3: "E. Process"}


def cuda_text(version: int) -> str:
    """13000 → "13.0"."""
    return f"{version // 1000}.{version % 1000 // 10}"


def listing(machine: Machine) -> str:
    """`nvidia-smi -L`."""
    lines: list[str] = []
    for index, gpu in enumerate(machine.gpus):
        lines.append(f"GPU {index}: {gpu.name} (UUID: {gpu.uuid})")
        for number, device in enumerate(gpu.mig.devices if gpu.mig else []):
            profile = device.name.split()[-1]
            lines.append(f"  MIG {profile:<11} Device {number:>2}: (UUID: {device.uuid})")
    return "\n".join(lines) + "\n"


def table(machine: Machine) -> str:
    """The whole screen."""
    return "\n".join([*_banner(machine), *_rows(machine), "", *_processes(machine)]) + "\n"


def _banner(machine: Machine) -> Iterator[str]:
    driver = machine.driver
    version = driver.version if driver else ""
    cuda = cuda_text(driver.cuda) if driver else ""
    yield "Sat Nov 21 03:00:00 2026       "
    yield f"+{'-' * _WIDTH}+"
    yield f"| NVIDIA-SMI {version:<22} Driver Version: {version:<14} CUDA Version: {cuda:<8} |"
    yield "|-----------------------------------------+------------------------+----------------------+"
    yield "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |"
    yield "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |"
    yield "|                                         |                        |               MIG M. |"
    yield "|=========================================+========================+======================|"


def _rows(machine: Machine) -> Iterator[str]:
    for index, gpu in enumerate(machine.gpus):
        yield from _gpu(gpu, index)
        yield "+-----------------------------------------+------------------------+----------------------+"


def _gpu(gpu: Gpu, index: int) -> Iterator[str]:
    name = gpu.name if len(gpu.name) <= 25 else f"{gpu.name[:22]}..."
    persistence = "On" if gpu.persistence else "Off"
    ecc = "N/A" if gpu.ecc is None else str(gpu.ecc.uncorrected_volatile) if gpu.ecc.enabled else "Off"
    bus = f"0000{gpu.bdf}".upper()
    yield f"| {index:>3}  {name:<25}{persistence:>9} |   {bus} {'On' if gpu.display else 'Off':>3} | {ecc:>20} |"
    fan = "N/A" if gpu.fan_percent is None else f"{gpu.fan_percent}%"
    temperature = "N/A" if gpu.temperature is None else f"{gpu.temperature}C"
    power = "N/A /  N/A" if gpu.power is None else f"{gpu.power.usage_w:.0f}W / {gpu.power.limit_w:>4}W"
    memory = f"{gpu.memory.used_mib:>7}MiB / {gpu.memory.total_mib:>6}MiB"
    hidden = gpu.utilization is None or (gpu.mig is not None and gpu.mig.enabled)
    load = "N/A" if hidden else f"{gpu.utilization}%"
    mode = COMPUTE_MODES[gpu.compute_mode]
    yield f"| {fan:>3}  {temperature:>4}    P{gpu.pstate:<2}{power:>23} | {memory:>22} | {load:>7} {mode:>12} |"
    mig = "N/A" if gpu.mig is None else "Enabled" if gpu.mig.enabled else "Disabled"
    yield f"|{'':41}|{'':24}| {mig:>20} |"


def _processes(machine: Machine) -> Iterator[str]:
    yield f"+{'-' * _WIDTH}+"
    yield "| Processes:                                                                              |"
    yield "|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |"
    yield "|        ID   ID                                                               Usage      |"
    yield f"|{'=' * _WIDTH}|"
    commands = {process.pid: process.command.split()[0] for process in machine.system.processes if process.command}
    listed = [(index, process) for index, gpu in enumerate(machine.gpus) for process in gpu.processes]
    for index, process in listed:
        yield _process(machine, index, process, commands.get(process.pid, "[Not Found]"))
    if not listed:
        yield f"|{'  No running processes found':<{_WIDTH}}|"
    yield f"+{'-' * _WIDTH}+"


def _process(machine: Machine, index: int, process: GpuProcess, command: str) -> str:
    mig = machine.gpus[index].mig
    inside = None if process.mig is None or mig is None else mig.devices[process.mig]
    instance, compute = ("N/A", "N/A") if inside is None else (str(inside.gpu_instance), str(inside.compute_instance))
    kind = {"compute": "C", "graphics": "G", "mps": "M+C"}[process.kind]
    name = command if len(command) <= 35 else f"...{command[-32:]}"
    used = "N/A" if process.used_mib is None else f"{process.used_mib}MiB"
    return f"|  {index:>3}  {instance:>4} {compute:>4}{process.pid:>16} {kind:>6}   {name:<35} {used:>10} |"
