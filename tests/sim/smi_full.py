"""`nvidia-smi -q`, the sections that tools read."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim import smi_query
from tests.sim.machine import Machine
from tests.sim.machine_gpu import Gpu
from tests.sim.smi_table import cuda_text

Row = tuple[int, str, object]

_WIDTH = 50


def full(machine: Machine) -> str:
    """The report of all GPUs."""
    driver = machine.driver
    lines = ["", "==============NVSMI LOG==============", ""]
    lines += [_row(0, "Timestamp", "Sat Nov 21 03:00:00 2026")]
    lines += [_row(0, "Driver Version", driver.version if driver else "")]
    lines += [_row(0, "CUDA Version", cuda_text(driver.cuda) if driver else ""), ""]
    lines += [_row(0, "Attached GPUs", len(machine.gpus))]
    columns = smi_query.columns(machine)
    for index, gpu in enumerate(machine.gpus):
        value = {field: values[index].strip("[]") for field, values in columns.items()}
        lines.append(f"GPU {value['pci.bus_id']}")
        lines += [_row(*row) for row in _gpu(gpu, value, driver.kernel_version if driver and gpu.gsp else "N/A")]
        lines += [_row(*row) for row in _processes(machine, gpu)]
        lines.append("")
    return "\n".join(lines) + "\n"


def _row(depth: int, name: str, value: object = None) -> str:
    indented = " " * (4 * depth) + name
    return indented if value is None else f"{indented:<{_WIDTH}}: {value}"


def _gpu(gpu: Gpu, value: dict[str, str], firmware: str) -> Iterator[Row]:
    yield 1, "Product Name", value["name"]
    yield 1, "Display Active", value["display_active"]
    yield 1, "Persistence Mode", value["persistence_mode"]
    yield 1, "Addressing Mode", "HMM" if gpu.addressing_mode else "None"
    yield 1, "MIG Mode", None
    yield 2, "Current", value["mig.mode.current"]
    yield 2, "Pending", value["mig.mode.pending"]
    yield 1, "Serial Number", value["serial"]
    yield 1, "GPU UUID", value["uuid"]
    yield 1, "GSP Firmware Version", firmware
    yield 1, "GPU Virtualization Mode", None
    modes = {0: "None", 1: "Pass-Through", 2: "VGPU", 3: "Host VGPU", 4: "Host VSGA"}
    yield 2, "Virtualization Mode", modes.get(gpu.virtualization or 0, "N/A")
    actions = ("None", "Reset", "Reboot", "Drain P2P", "Drain and Reset")
    yield 1, "GPU Recovery Action", "N/A" if gpu.recovery_action is None else actions[gpu.recovery_action]
    yield from _bus(value)
    yield from _memory(gpu, value)
    yield 1, "Compute Mode", value["compute_mode"]
    yield from _health(gpu, value)


def _bus(value: dict[str, str]) -> Iterator[Row]:
    yield 1, "PCI", None
    yield 2, "Bus Id", value["pci.bus_id"]
    yield 2, "GPU Link Info", None
    yield 3, "PCIe Generation", None
    yield 4, "Max", value["pcie.link.gen.max"]
    yield 4, "Current", value["pcie.link.gen.current"]
    yield 4, "Device Max", value["pcie.link.gen.gpumax"]
    yield 3, "Link Width", None
    yield 4, "Max", f"{value['pcie.link.width.max']}x"
    yield 4, "Current", f"{value['pcie.link.width.current']}x"
    yield 2, "Replays Since Reset", 0
    yield 1, "Fan Speed", f"{value['fan.speed']} %" if value["fan.speed"] != "N/A" else "N/A"
    yield 1, "Performance State", value["pstate"]
    yield 1, "Clocks Event Reasons", None
    for name, field in (("Idle", "gpu_idle"), ("SW Power Cap", "sw_power_cap"), ("HW Slowdown", "hw_slowdown")):
        yield 2, name, value[f"clocks_event_reasons.{field}"]
    yield 3, "HW Thermal Slowdown", value["clocks_event_reasons.hw_thermal_slowdown"]
    yield 3, "HW Power Brake Slowdown", value["clocks_event_reasons.hw_power_brake_slowdown"]


def _memory(gpu: Gpu, value: dict[str, str]) -> Iterator[Row]:
    yield 1, "FB Memory Usage", None
    for name in ("Total", "Reserved", "Used", "Free"):
        yield 2, name, f"{value[f'memory.{name.lower()}']} MiB"
    yield 1, "BAR1 Memory Usage", None
    for name, mib in (("Total", gpu.bar1_mib), ("Used", 1), ("Free", (gpu.bar1_mib or 1) - 1)):
        yield 2, name, "N/A" if gpu.bar1_mib is None else f"{mib} MiB"


def _health(gpu: Gpu, value: dict[str, str]) -> Iterator[Row]:
    yield 1, "Utilization", None
    yield 2, "GPU", f"{value['utilization.gpu']} %" if value["utilization.gpu"] != "N/A" else "N/A"
    yield 1, "ECC Mode", None
    yield 2, "Current", value["ecc.mode.current"]
    yield 1, "Remapped Rows", None if gpu.remapped else "N/A"
    if gpu.remapped:
        rows = gpu.remapped
        yield 2, "Correctable Error", rows.corrected
        yield 2, "Uncorrectable Error", rows.uncorrected
        yield 2, "Pending", "Yes" if rows.pending else "No"
        yield 2, "Remapping Failure Occurred", "Yes" if rows.failed else "No"
    yield 1, "Temperature", None
    yield 2, "GPU Current Temp", "N/A" if gpu.temperature is None else f"{gpu.temperature} C"
    yield 1, "GPU Power Readings", None
    for name, field in (("Average Power Draw", "power.draw"), ("Current Power Limit", "power.limit")):
        yield 2, name, value[field] if value[field] == "N/A" else f"{value[field]} W"
    yield 1, "Fabric", None
    yield 2, "State", value["fabric.state"]
    yield 2, "Status", value["fabric.status"]


def _processes(machine: Machine, gpu: Gpu) -> Iterator[Row]:
    commands = {process.pid: process.command for process in machine.system.processes}
    yield 1, "Processes", None if gpu.processes else "None"
    for process in gpu.processes:
        yield 2, "GPU instance ID", "N/A"
        yield 2, "Compute instance ID", "N/A"
        yield 2, "Process ID", process.pid
        yield 3, "Type", {"compute": "C", "graphics": "G", "mps": "M+C"}[process.kind]
        yield 3, "Name", commands.get(process.pid, "")
        used = "N/A" if process.used_mib is None else f"{process.used_mib} MiB"
        yield 3, "Used GPU Memory", used
