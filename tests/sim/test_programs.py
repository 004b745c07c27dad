"""nvidia-smi, dmesg and the rival nvitop on simulated machines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim import machine
from tests.sim.build import environment
from tests.sim.conftest import Machines


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=60, check=False)


def test_topo_matrix_byte_for_byte(machines: Machines) -> None:
    lines = run(machines("l40sx4-two-sockets"), "nvidia-smi", "topo", "-m").stdout.split("\n")
    assert lines[:3] == [
        "\t\x1b[4mGPU0\tGPU1\tGPU2\tGPU3\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m",
        "GPU0\t X \tNODE\tSYS\tSYS\t0-31,64-95\t0\t\tN/A",
        "GPU1\tNODE\t X \tSYS\tSYS\t0-31,64-95\t0\t\tN/A",
    ]


def test_topo_matrix_of_a_virtual_machine(machines: Machines) -> None:
    assert "GPU0\t X \tPHB\t0-15\t\tN/A\t\tN/A\n" in run(machines("t4x2-vm"), "nvidia-smi", "topo", "-m").stdout


def test_topo_matrix_with_nvlink_pairs(machines: Machines) -> None:
    lines = run(machines("rtx3090x4-two-nvlink-pairs"), "nvidia-smi", "topo", "-m").stdout.splitlines()
    assert [line.split("\t")[1:5] for line in lines[1:3]] == [
        [" X ", "NODE", "NV4", "NODE"],
        ["NODE", " X ", "NODE", "NV4"],
    ]


def test_topo_p2p_byte_for_byte(machines: Machines) -> None:
    output = run(machines("rtx4090x2"), "nvidia-smi", "topo", "-p2p", "r").stdout
    assert output.startswith(" \tGPU0\tGPU1\t\n GPU0\tX\tCNS\t\n GPU1\tCNS\tX\t\n\nLegend:\n\n  X    = Self\n")


def test_nvlink_status(machines: Machines) -> None:
    lines = run(machines("rtx3090x2-nvlink"), "nvidia-smi", "nvlink", "-s").stdout.splitlines()
    assert lines[0].startswith("GPU 0: NVIDIA GeForce RTX 3090 (UUID: GPU-")
    assert lines[1] == "\t Link 0: 14.062 GB/s"
    without = run(machines("rtx3090x2-no-nvlink"), "nvidia-smi", "nvlink", "-s").stdout
    assert "NVML: Unable to retrieve NVLink information as all links are inActive" in without


@pytest.mark.parametrize("name", machine.names())
def test_the_table_is_a_rectangle(machines: Machines, name: str) -> None:
    described = machine.load(name)
    if described.smi != "works" or run(machines(name), "nvidia-smi").returncode != 0:
        pytest.skip("nvidia-smi does not answer there")
    lines = run(machines(name), "nvidia-smi").stdout.splitlines()
    assert {len(line) for line in lines[1:] if line} == {91}


def test_query(machines: Machines) -> None:
    query = "--query-gpu=index,name,memory.total,power.draw,ecc.mode.current"
    plain = run(machines("rtx3090x2-nvlink"), "nvidia-smi", query, "--format=csv,noheader,nounits").stdout
    assert plain.splitlines()[0] == "0, NVIDIA GeForce RTX 3090, 24576, 23.90, [N/A]"
    full = run(machines("rtx3090x2-nvlink"), "nvidia-smi", query, "--format=csv").stdout.splitlines()
    assert full[1] == "0, NVIDIA GeForce RTX 3090, 24576 MiB, 23.90 W, [N/A]"
    wrong = run(machines("rtx3090x2-nvlink"), "nvidia-smi", "--query-gpu=colour", "--format=csv")
    assert (wrong.returncode, wrong.stdout) == (2, 'Field "colour" is not a valid field to query.\n')


def test_without_answer(machines: Machines) -> None:
    assert run(machines("wsl2"), "nvidia-smi", "topo", "-m").stdout == ""
    assert run(machines("wsl2"), "nvidia-smi", "topo", "-m").returncode == 255
    assert not (machines("no-gpu") / "bin/nvidia-smi").exists()


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("driver-mismatch", 18, "Failed to initialize NVML: Driver/library version mismatch\n"),
        ("nouveau", 9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."),
        ("l40sx4-gpu-lost", 15, "Unable to determine the device handle for GPU2: 0000:98:00.0: GPU is lost."),
    ],
)
def test_failures_of_nvidia_smi(machines: Machines, name: str, code: int, text: str) -> None:
    done = run(machines(name), "nvidia-smi")
    assert done.returncode == code
    assert done.stdout.startswith(text)


def test_full_report(machines: Machines) -> None:
    report = run(machines("a100-mig"), "nvidia-smi", "-q").stdout
    assert "    Product Name                                  : NVIDIA A100 80GB PCIe\n" in report


def test_kernel_log(machines: Machines) -> None:
    folder = machines("wedged-driver")
    assert "Xid (PCI:0000:9b:00): 119" in run(folder, "dmesg").stdout
    assert "kernel: NVRM: Xid" in run(folder, "journalctl", "-k", "--no-pager").stdout


@pytest.mark.parametrize("name", ["h100x8-nvswitch", "a100x8-nvswitch"])
def test_nvitop_runs(machines: Machines, name: str) -> None:
    nvitop = shutil.which("nvitop", path=str(Path(sys.executable).parent))
    if nvitop is None:
        pytest.skip("nvitop is not installed")
    done = run(machines(name), nvitop, "-1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(":00.0 Off") == 8
