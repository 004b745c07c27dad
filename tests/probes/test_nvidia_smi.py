"""The nvidia-smi program on simulated machines, and as small scripts that misbehave."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gpudoctor.host import Command, HostError, LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.host.replay import ReplayHost
from gpudoctor.model.facts.nvidia_smi import NvidiaSmi
from gpudoctor.probes._smi_program import _FIELDS, _OLD_FIELDS
from gpudoctor.probes.nvidia_smi import PROBE
from tests.probes.simulated import Simulated
from tests.sim import machine, topology

Machines = Callable[[str], Simulated]

MACHINES = {name: machine.load(name) for name in machine.names()}
WORKING = [
    name
    for name, described in MACHINES.items()
    if described.smi == "works"
    and described.gpus
    and described.driver
    and described.driver.loaded
    and not described.driver.nvml_init
    and not described.faults
]
MATRIX = "\t\x1b[4mGPU0\tGPU1\tCPU Affinity\x1b[0m\nGPU0\t X \tPHB\t0-7\nGPU1\tPHB\t X \t0-7\n"
P2P = " \tGPU0\tGPU1\t\n GPU0\tX\t{0}\t\n GPU1\t{0}\tX\t\n"
TABLE = (
    "index, name, memory.total [MiB], driver_version\n"
    "0, NVIDIA L4, 23034 MiB, 550.54.15\n"
    "1, NVIDIA L4, [N/A], 550.54.15\n"
)


def collect(host: LocalHost | ReplayHost) -> NvidiaSmi:
    found = PROBE.collect(host, Request())
    assert isinstance(found, NvidiaSmi)
    return found


def recorded(tmp_path: Path, **answers: Command | HostError) -> ReplayHost:
    """Answers by the first word that tells the calls apart."""
    calls = {
        "query": f"nvidia-smi --query-gpu={','.join(_FIELDS)} --format=csv",
        "old_query": f"nvidia-smi --query-gpu={','.join(_OLD_FIELDS)} --format=csv",
        "topo": "nvidia-smi topo -m",
        "read": "nvidia-smi topo -p2p r",
        "write": "nvidia-smi topo -p2p w",
    }
    return ReplayHost(str(tmp_path), {calls[name]: answer for name, answer in answers.items()})


@pytest.mark.parametrize("name", WORKING)
def test_gpus_are_those_of_the_machine(simulated: Machines, name: str) -> None:
    described = MACHINES[name]
    found = collect(simulated(name).host())
    assert described.driver is not None
    assert found.error.value == ""
    assert found.driver_version.value == described.driver.version
    assert str(found.path.value).endswith("/bin/nvidia-smi")
    gpus = found.gpus.or_none() or ()
    assert [gpu.uuid.value for gpu in gpus] == [gpu.uuid for gpu in described.gpus]
    assert [gpu.pci_bus_id.value for gpu in gpus] == [gpu.bdf for gpu in described.gpus]
    assert [gpu.memory_total_bytes.value for gpu in gpus] == [gpu.memory.total_mib << 20 for gpu in described.gpus]


@pytest.mark.parametrize(
    "name", [name for name in WORKING if len(MACHINES[name].gpus) > 1 and not MACHINES[name].system.wsl]
)
def test_pairs_and_permissions_are_those_of_the_machine(simulated: Machines, name: str) -> None:
    described = MACHINES[name]
    found = collect(simulated(name).host())
    for pair in found.topology.or_none() or ():
        assert pair.link == topology.cell(described, pair.a, pair.b)
    count = len(described.gpus)
    assert len(found.topology.or_none() or ()) == count * (count - 1) // 2
    for cell in found.p2p.or_none() or ():
        assert cell.status == getattr(topology.p2p(described, cell.a, cell.b), cell.capability)
    assert {cell.capability for cell in found.p2p.or_none() or ()} == {"read", "write"}
    affinity = found.cpu_affinity.or_none()
    assert affinity is None or affinity == tuple(topology.cpu_list(described, gpu) for gpu in described.gpus)


@pytest.mark.parametrize("name", [name for name in WORKING if len(MACHINES[name].gpus) == 1])
def test_matrices_are_not_asked_for_where_there_is_one_gpu(simulated: Machines, name: str) -> None:
    found = collect(simulated(name).host())
    assert found.topology.absent == found.p2p.absent == "not_applicable"


@pytest.mark.parametrize("name", [name for name, described in MACHINES.items() if described.smi == "absent"])
def test_a_machine_without_the_program_says_so(simulated: Machines, name: str) -> None:
    if any(Path(folder, "nvidia-smi").exists() for folder in os.environ["PATH"].split(":")):
        pytest.skip("this machine has an nvidia-smi of its own")
    found = collect(simulated(name).host())
    assert {getattr(found, field).absent for field in ("path", "error", "gpus", "topology", "p2p")} == {"tool_missing"}


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        (
            "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.90\n",
            18,
            "Failed to initialize NVML: Driver/library version mismatch; NVML library version: 550.90",
        ),
        (
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
            "NVIDIA driver is installed and running.\n\n",
            9,
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
            "NVIDIA driver is installed and running.",
        ),
        ("", 255, "exit status 255"),
    ],
)
def test_what_the_program_says_instead_of_an_answer_is_its_error(
    tmp_path: Path, output: str, code: int, message: str
) -> None:
    answer = Command(code, output, "")
    found = collect(recorded(tmp_path, query=answer, topo=answer, read=answer, write=answer))
    assert found.error.value == message
    assert (found.gpus.absent, found.gpus.detail) == ("failed", message)
    assert (found.topology.absent, found.topology.detail) == ("not_supported", message)
    assert found.driver_version.absent == "failed"


def test_no_devices_is_an_answer(tmp_path: Path) -> None:
    found = collect(recorded(tmp_path, query=Command(6, "No devices were found\n", "")))
    assert found.error.value == "No devices were found"
    assert found.gpus.value == ()


def test_a_lost_gpu_costs_no_other_its_row(tmp_path: Path) -> None:
    lost = "Unable to determine the device handle for GPU1: 0000:0B:00.0: Unknown Error\n"
    found = collect(recorded(tmp_path, query=Command(255, TABLE + lost, "")))
    assert found.error.value == lost.strip()
    assert [gpu.index for gpu in found.gpus.or_none() or ()] == [0, 1]


def test_a_field_that_an_old_driver_does_not_know_is_not_asked_for_again(tmp_path: Path) -> None:
    refused = Command(2, 'Field "compute_cap" is not a valid field to query.\n', "")
    found = collect(recorded(tmp_path, query=refused, old_query=Command(0, TABLE, "")))
    assert found.error.value == ""
    assert found.driver_version.value == "550.54.15"
    first, second = found.gpus.or_none() or ()
    assert first.memory_total_bytes.value == 23034 << 20
    assert second.memory_total_bytes.absent == "not_supported"


def test_each_answer_fails_for_itself(tmp_path: Path) -> None:
    late = HostError("timeout", "nvidia-smi did not answer within 10 s")
    ok = Command(0, TABLE, "")
    found = collect(
        recorded(tmp_path, query=ok, topo=late, read=Command(0, P2P.format("GNS"), ""), write=Command(0, "", ""))
    )
    assert found.gpus.known
    assert (found.topology.absent, found.cpu_affinity.absent) == ("timeout", "timeout")
    assert [(cell.capability, cell.status) for cell in found.p2p.or_none() or ()] == [("read", "GNS")] * 2
    found = collect(recorded(tmp_path, query=late, topo=Command(0, MATRIX, "")))
    assert found.error.absent == found.gpus.absent == found.topology.absent == "timeout"


def test_a_matrix_that_cannot_be_trusted_is_a_parse_error(tmp_path: Path) -> None:
    merged = "\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tNODENODE\t0-7\nGPU1\tNODENODE\t X \t0-7\n"
    found = collect(recorded(tmp_path, query=Command(0, TABLE, ""), topo=Command(0, merged, "")))
    assert found.topology.absent == "parse_error"
    assert "NODENODE" in found.topology.detail


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudoctor.probes._smi_program._DEADLINE_S", 0.2)
    script = tmp_path / "nvidia-smi"
    script.write_text("#!/bin/sh\ntrap '' TERM INT\nwhile :; do sleep 60; done\n")
    script.chmod(0o755)
    found = collect(LocalHost(environ={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, root=str(tmp_path)))
    assert found.error.absent == found.topology.absent == found.p2p.absent == "timeout"
    assert found.path.value == str(script)
