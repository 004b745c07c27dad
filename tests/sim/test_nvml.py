"""The stub of libnvidia-ml, through the real nvidia-ml-py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sim import machine, topology
from tests.sim.conftest import Machines
from tests.sim.harness import nvml, run_python
from tests.sim.machine_gpu import MIB

pytest.importorskip("pynvml")


def answers_in_full(described: machine.Machine) -> bool:
    """Neither init nor handles fail there; test_faults.py has those that do."""
    initialises = described.driver is not None and described.driver.nvml_init == 0
    return initialises and not any(name in described.faults for name in ("nvmlInit", "nvmlDeviceGetHandle"))


ANSWERING = [name for name in machine.names() if answers_in_full(machine.load(name))]

NOT_SUPPORTED = "error 3"


@pytest.mark.parametrize("name", ANSWERING)
def test_identity_of_every_gpu(machines: Machines, name: str) -> None:
    described = machine.load(name)
    expression = "[[nvmlDeviceGetName(g), nvmlDeviceGetUUID(g), nvmlDeviceGetPciInfo(g).busId.lower()] for g in gpus]"
    expected = [[gpu.name, gpu.uuid, f"0000{gpu.bdf}"] for gpu in described.gpus]
    assert nvml(machines(name), expression) == expected


@pytest.mark.parametrize("name", [name for name in ANSWERING if "MemoryInfo" not in machine.load(name).faults])
def test_memory_of_every_gpu(machines: Machines, name: str) -> None:
    """Version 1 counts the reserve as used, version 2 tells it apart."""
    described = machine.load(name)
    first, second = "nvmlDeviceGetMemoryInfo(g)", "nvmlDeviceGetMemoryInfo(g, nvmlMemory_v2)"
    expression = f"[[{first}.total, {first}.used, {second}.used, {second}.reserved, {second}.free] for g in gpus]"
    for gpu, answer in zip(described.gpus, nvml(machines(name), expression), strict=True):
        mib = [number / MIB for number in answer]
        used, reserve, total = gpu.memory.used_mib, gpu.memory.reserved_mib, gpu.memory.total_mib
        assert mib == [total, used + reserve, used, reserve, total - used - reserve]


@pytest.mark.parametrize("name", [name for name in ANSWERING if not machine.load(name).system.wsl])
def test_levels_and_p2p_of_every_pair(machines: Machines, name: str) -> None:
    described = machine.load(name)
    expression = """[[nvmlDeviceGetTopologyCommonAncestor(a, b), *(nvmlDeviceGetP2PStatus(a, b, c) for c in range(5))]
        for i, a in enumerate(gpus) for j, b in enumerate(gpus) if i != j]"""
    expected = [
        [
            topology.LEVELS[topology.level(described, a, b)],
            *(
                topology.STATUSES.index(getattr(topology.p2p(described, a, b), capability))
                for capability in topology.CAPABILITIES
            ),
        ]
        for a, b in topology.pairs(described)
    ]
    assert nvml(machines(name), expression) == expected


@pytest.mark.parametrize(
    ("name", "level", "status"), [("rtx4090x2", 30, 1), ("rtx3090x2-nvlink", 40, 0), ("rtx3090-rtx4090-mixed", 30, 5)]
)
def test_codes_are_those_of_the_header(machines: Machines, name: str, level: int, status: int) -> None:
    """Written out, so that a mistake in the tables shared by builder and test shows."""
    pair = "[nvmlDeviceGetTopologyCommonAncestor(gpus[0], gpus[1]), nvmlDeviceGetP2PStatus(gpus[0], gpus[1], 0)]"
    assert nvml(machines(name), pair) == [level, status]


def _nvlink(machines: Machines, name: str) -> Any:
    return nvml(
        machines(name),
        """[[ask(nvmlDeviceGetNvLinkState, gpus[0], link) for link in (0, 3, 17, 18)],
            [(v.nvmlReturn, v.value.uiVal) for v in nvmlDeviceGetFieldValues(gpus[0], [91, (164, 0)])]]""",
    )


def test_nvlink_of_a_switched_board(machines: Machines) -> None:
    assert _nvlink(machines, "h100x8-nvswitch") == [[1, 1, 1, "error 2"], [[0, 18], [0, 26562]]]


def test_nvlink_of_a_card_without_any(machines: Machines) -> None:
    assert _nvlink(machines, "rtx4090x2") == [[NOT_SUPPORTED] * 4, [[3, 0], [3, 0]]]


def test_nvlink_without_its_bridge_is_inactive(machines: Machines) -> None:
    assert _nvlink(machines, "rtx3090x2-no-nvlink") == [[0, 0, "error 2", "error 2"], [[0, 4], [0, 0]]]


def test_the_far_end_of_a_bridge(machines: Machines) -> None:
    expression = """[nvmlDeviceGetNvLinkRemotePciInfo(g, 0).busId.lower() for g in gpus]"""
    addresses = [f"0000{gpu.bdf}" for gpu in machine.load("rtx3090x4-two-nvlink-pairs").gpus]
    assert nvml(machines("rtx3090x4-two-nvlink-pairs"), expression) == [addresses[i] for i in (2, 3, 0, 1)]


def test_geforce_refuses_what_it_does_not_have(machines: Machines) -> None:
    functions = "nvmlDeviceGetRemappedRows nvmlDeviceGetSerial nvmlDeviceGetMigMode nvmlDeviceGetNumaNodeId"
    expression = f"""[ask(getattr(pynvml, f), gpus[0]) for f in "{functions}".split()]
        + [ask(nvmlDeviceGetGpuFabricInfoV, gpus[0], pynvml.byref(c_nvmlGpuFabricInfoV_t()))]
        + [ask(nvmlDeviceGetEccMode, gpus[0]), ask(nvmlDeviceGetTotalEccErrors, gpus[0], 1, 0)]"""
    answers = nvml(machines("rtx3090x2-nvlink"), expression)
    assert answers == [NOT_SUPPORTED] * 7


def test_fabric_of_a_switched_board(machines: Machines) -> None:
    expression = """(lambda info: [nvmlDeviceGetGpuFabricInfoV(gpus[0], pynvml.byref(info)),
        info.state, info.status, info.healthMask])(c_nvmlGpuFabricInfo_v2_t())"""
    assert nvml(machines("h100x8-nvswitch"), expression) == [0, 3, 0, 0x212A]


def test_a_newer_struct_than_the_driver_knows_is_refused(machines: Machines) -> None:
    expression = "ask(nvmlDeviceGetGpuFabricInfoV, gpus[0], pynvml.byref(c_nvmlGpuFabricInfo_v3_t()))"
    assert nvml(machines("h100x8-nvswitch"), expression) == "error 25"  # driver 570; version 3 came with 580


def test_an_older_driver_lacks_newer_functions(machines: Machines) -> None:
    functions = "nvmlDeviceGetNumaNodeId nvmlDeviceGetAddressingMode nvmlDeviceGetTemperatureV1"
    expression = (
        f"""[ask(getattr(pynvml, f), gpus[0], *([0] if f.endswith("1") else [])) for f in "{functions}".split()]"""
    )
    assert nvml(machines("a100x8-nvswitch"), expression) == ["error 13"] * 3  # driver 535


def test_processes_and_their_memory(machines: Machines) -> None:
    expression = "[[p.pid, p.usedGpuMemory] for p in nvmlDeviceGetGraphicsRunningProcesses(gpus[0])]"
    assert nvml(machines("rtx4090x2"), expression) == [[4100213, 224 * MIB], [4100587, 86 * MIB]]


def test_wsl_does_not_tell_the_memory_of_processes(machines: Machines) -> None:
    expression = "[[p.pid, p.usedGpuMemory] for p in nvmlDeviceGetComputeRunningProcesses(gpus[0])]"
    assert nvml(machines("wsl2"), expression) == [[4100091, None]]


def test_mig_devices_have_handles_of_their_own(machines: Machines) -> None:
    expression = """[nvmlDeviceGetMigMode(gpus[0]), nvmlDeviceGetMaxMigDeviceCount(gpus[0]),
        [ask(lambda: nvmlDeviceGetUUID(nvmlDeviceGetMigDeviceHandleByIndex(gpus[0], i))[:12]) for i in (0, 1, 2)],
        nvmlDeviceGetMemoryInfo(nvmlDeviceGetMigDeviceHandleByIndex(gpus[0], 0)).total >> 20]"""
    expected = [[1, 1], 7, ["MIG-1b6f90c4", "MIG-9e05d7b3", "error 6"], 40192]
    assert nvml(machines("a100-mig"), expression) == expected


def test_handles_by_uuid_and_address(machines: Machines) -> None:
    gpu = machine.load("t4x2-vm").gpus[1]
    expression = f"""[nvmlDeviceGetIndex(nvmlDeviceGetHandleByUUID(b"{gpu.uuid}")),
        nvmlDeviceGetIndex(nvmlDeviceGetHandleByPciBusId(b"{gpu.bdf}")),
        ask(nvmlDeviceGetHandleByUUID, b"GPU-none"), ask(nvmlDeviceGetHandleByIndex, 2)]"""
    assert nvml(machines("t4x2-vm"), expression) == [1, 1, "error 6", "error 2"]


def test_affinity_follows_the_numa_node(machines: Machines) -> None:
    expression = "[[hex(w) for w in nvmlDeviceGetCpuAffinity(g, 2)] for g in gpus[::3]]"
    expected = [["0xffffffff", "0xffffffff"], ["0xffffffff00000000", "0xffffffff00000000"]]
    assert nvml(machines("l40sx4-two-sockets"), expression) == expected


def test_a_machine_without_driver_has_no_library(machines: Machines) -> None:
    done = run_python(machines("no-gpu"), "import pynvml; pynvml.nvmlInit()")
    assert "NVMLError_LibraryNotFound" in done.stderr


def test_before_init_and_after_shutdown_nothing_works(machines: Machines) -> None:
    code = """
import pynvml
pynvml.nvmlInit()
pynvml.nvmlShutdown()
pynvml.nvmlDeviceGetCount()
"""
    assert "NVMLError_Uninitialized" in run_python(machines("rtx4090x2"), code).stderr
