"""The CUDA driver API on simulated machines."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gpudoctor.host.probe import Request
from gpudoctor.host.replay import ReplayHost
from gpudoctor.model.fact import Fact
from gpudoctor.model.facts.cuda import CudaDevice, CudaDriver, PeerAccess
from gpudoctor.probes import _cuda_visible as visible
from gpudoctor.probes.cuda import PROBE
from tests.probes.simulated import TIMEOUT_S, Simulated
from tests.sim import machine, topology

Machines = Callable[[str], Simulated]

SWITCHED, MIXED, SMALL = "h100x8-nvswitch", "rtx3090-rtx4090-mixed", "rtx3090x2-nvlink"
MACHINES = {name: machine.load(name) for name in machine.names()}
HEALTHY = [
    name
    for name, described in MACHINES.items()
    if described.driver
    and described.driver.loaded
    and described.gpus
    and not described.cuda.init
    and not described.faults
]

# What a function tells. Nothing else may be lost where it fails. The visible ones are lost in the second look too.
TELLS: dict[str, set[str]] = {
    "cuDriverGetVersion": {"version"},
    "cuDeviceGetCount": {"device_count", "devices", "peer_access", "visible_uuids"},
    "cuDeviceGet": set(),
    "cuDeviceGetName": {"devices.name"},
    "cuDeviceGetUuid": set(),
    "cuDeviceGetUuid_v2": set(),
    "cuDeviceGetPCIBusId": set(),
    "cuDeviceGetAttribute": {"devices.compute_capability", "devices.memory_pools"},
    "cuDeviceCanAccessPeer": {"peer_access.allowed"},
    "cuDeviceGetP2PAttribute": {"peer_access.performance_rank", "peer_access.native_atomics"},
}


def with_variable(value: str, **more: str) -> Request:
    return Request(launch_env=(("CUDA_VISIBLE_DEVICES", value), *more.items()))


def devices_of(found: CudaDriver) -> tuple[CudaDevice, ...]:
    assert found.devices.known, found.devices.why()
    return found.devices.or_none() or ()


def differences(healthy: CudaDriver, found: CudaDriver) -> dict[str, list[Fact[object]]]:
    """Fields that differ, those of devices and pairs with their list's name, and the facts found there."""
    changed: dict[str, list[Fact[object]]] = {}
    for field in CudaDriver.__struct_fields__:
        before, after = getattr(healthy, field), getattr(found, field)
        if before == after:
            continue
        kind = {"devices": CudaDevice, "peer_access": PeerAccess}.get(field)
        if kind is None or not after.known:
            changed[field] = [after]
            continue
        for old, new in zip(before.value, after.value, strict=True):
            for name in kind.__struct_fields__:
                if getattr(old, name) != getattr(new, name):
                    changed.setdefault(f"{field}.{name}", []).append(getattr(new, name))
    return changed


@pytest.mark.parametrize("name", HEALTHY)
def test_devices_and_peer_access_are_those_of_the_machine(simulated: Machines, name: str) -> None:
    described = MACHINES[name]
    found = simulated(name).collect(PROBE, CudaDriver)
    assert described.driver is not None
    assert found.init_error.value == ""
    assert found.init_error_code.value == 0
    assert found.version.value == f"{described.driver.cuda // 1000}.{described.driver.cuda % 1000 // 10}"
    by_address = {gpu.bdf: (index, gpu) for index, gpu in enumerate(described.gpus)}
    for device in devices_of(found):
        _, gpu = by_address[str(device.pci_bus_id.value)]
        assert device.name.value in {gpu.name, *(mig.name for mig in (gpu.mig.devices if gpu.mig else []))}
        assert device.compute_capability.value == gpu.compute_capability
        assert device.memory_pools.value is gpu.memory_pools
        assert device.uuid.value in {gpu.uuid, *(mig.uuid for mig in (gpu.mig.devices if gpu.mig else []))}
    for pair in found.peer_access.or_none() or ():
        a, b = by_address[pair.a][0], by_address[pair.b][0]
        assert pair.allowed.value is topology.peer_access(described, a, b)
    assert found.visible_uuids.value == tuple(device.uuid.value for device in devices_of(found))
    assert Path(str(found.library.value)).name == "libcuda.so.1"


@pytest.mark.parametrize("name", [name for name, described in MACHINES.items() if described.cuda.init])
def test_an_init_that_fails_is_named(simulated: Machines, name: str) -> None:
    code = MACHINES[name].cuda.init
    found = simulated(name).collect(PROBE, CudaDriver)
    assert found.init_error_code.value == code
    assert str(found.init_error.value).startswith("CUDA_ERROR_")
    assert found.visible_init_error.value == found.init_error.value


def test_without_the_library_nothing_is_known(simulated: Machines) -> None:
    name = next(name for name, described in MACHINES.items() if described.driver is None)
    found = simulated(name).collect(PROBE, CudaDriver, request=with_variable("0"))
    told = {field for field in CudaDriver.__struct_fields__ if getattr(found, field).absent != "tool_missing"}
    assert (told, found.stalled_calls.value) == ({"stalled_calls"}, ())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("3,1", [3, 1]), ("0", [0]), ("7,6,5", [7, 6, 5]), ("1,9,2", [1]), ("0,1,-1,2", [0, 1])],
)
def test_the_second_look_has_what_the_variable_leaves_in_its_order(
    simulated: Machines, value: str, expected: list[int]
) -> None:
    gpus = MACHINES[SWITCHED].gpus
    found = simulated(SWITCHED).collect(PROBE, CudaDriver, request=with_variable(value))
    assert found.visible_uuids.value == tuple(gpus[index].uuid for index in expected)
    assert found.visible_init_error.value == ""
    assert found.device_count.value == 8


@pytest.mark.parametrize("value", ["", "-1", "99", "gpu0"])
def test_a_variable_that_leaves_nothing_is_no_device_and_an_empty_list(simulated: Machines, value: str) -> None:
    found = simulated(SMALL).collect(PROBE, CudaDriver, request=with_variable(value))
    assert found.visible_init_error.value == "CUDA_ERROR_NO_DEVICE"
    assert found.visible_uuids.value == ()
    assert found.init_error.value == ""
    assert found.device_count.value == 2


def test_the_shells_variable_counts_where_the_launch_command_sets_none(simulated: Machines) -> None:
    target = simulated(SWITCHED)
    host = target.host(CUDA_VISIBLE_DEVICES="2")
    (found,) = target.sections(CudaDriver, [lambda: PROBE.collect(host, Request())], host)
    assert found.visible_uuids.value == (MACHINES[SWITCHED].gpus[2].uuid,)
    (found,) = target.sections(CudaDriver, [lambda: PROBE.collect(host, with_variable("4"))], host)
    assert found.visible_uuids.value == (MACHINES[SWITCHED].gpus[4].uuid,)


def test_the_order_of_the_workload_is_kept_for_both_looks(simulated: Machines) -> None:
    fastest = simulated(MIXED).collect(PROBE, CudaDriver, request=with_variable("0"))
    by_bus = simulated(MIXED).collect(PROBE, CudaDriver, request=with_variable("0", CUDA_DEVICE_ORDER="PCI_BUS_ID"))
    addresses = [device.pci_bus_id.value for device in devices_of(by_bus)]
    assert addresses == sorted(map(str, addresses))
    assert [device.pci_bus_id.value for device in devices_of(fastest)] == addresses[::-1]
    assert fastest.visible_uuids.value == (devices_of(fastest)[0].uuid.value,)
    assert by_bus.visible_uuids.value == (devices_of(by_bus)[0].uuid.value,)


def test_no_context_is_created(simulated: Machines, tmp_path: Path) -> None:
    target = simulated(SMALL)
    log = tmp_path / "calls"
    host = target.host(GPUSIM_CALLS=str(log))
    target.sections(CudaDriver, [lambda: PROBE.collect(host, with_variable("0"))], host)
    called = {line.split()[1] for line in log.read_text().splitlines()}
    assert called == {"cuInit", *TELLS}


@pytest.mark.parametrize("code", [1, 3, 101, 800, 801, 999])
@pytest.mark.parametrize("function", sorted(TELLS))
def test_an_error_of_one_function_costs_what_it_tells(simulated: Machines, function: str, code: int) -> None:
    target = simulated(SMALL)
    healthy, found = (target.collect(PROBE, CudaDriver, faults) for faults in ("", f"{function}=error:{code}"))
    changed = differences(healthy, found)
    wider = {"devices.uuid", "visible_uuids"} if function == "cuDeviceGetUuid" else set()  # both versions of the name
    assert set(changed) <= TELLS[function] | wider
    assert set(changed) >= TELLS[function]
    reason = {800: "no_permission", 801: "not_supported"}.get(code, "failed")
    assert {fact.absent for facts in changed.values() for fact in facts} <= {reason}


@pytest.mark.parametrize("function", sorted(TELLS))
def test_a_function_that_the_driver_does_not_have_costs_what_it_tells(simulated: Machines, function: str) -> None:
    target = simulated(SMALL)
    healthy, found = (target.collect(PROBE, CudaDriver, faults) for faults in ("", f"{function}=missing"))
    changed = differences(healthy, found)
    changed.pop("library", None)
    wider = {"devices.uuid", "visible_uuids"} if function == "cuDeviceGetUuid" else set()
    assert set(changed) <= TELLS[function] | wider
    assert {fact.absent for facts in changed.values() for fact in facts} <= {"not_supported"}


@pytest.mark.parametrize("function", sorted(TELLS))
def test_a_crash_costs_what_the_function_tells(simulated: Machines, function: str) -> None:
    target = simulated(SMALL)
    healthy = target.collect(PROBE, CudaDriver)
    found, result = target.examine(PROBE, CudaDriver, f"{function}=crash", timeout_s=TIMEOUT_S)
    assert found is not None, result
    changed = differences(healthy, found)
    wider = {"devices.uuid", "visible_uuids"} if function == "cuDeviceGetUuid" else set()
    assert set(changed) <= TELLS[function] | wider | {"stalled_calls"}
    assert f"in {function}" in result.reason
    assert {call.partition("@")[0] for call in found.stalled_calls.value or ()} >= {function}


@pytest.mark.parametrize(
    ("code", "name"),
    [(35, "cudaErrorInsufficientDriver"), (802, "CUDA_ERROR_SYSTEM_NOT_READY"), (4242, "CUDA_ERROR_4242")],
)
def test_an_error_is_named_without_the_librarys_help(simulated: Machines, code: int, name: str) -> None:
    found = simulated(SMALL).collect(PROBE, CudaDriver, f"cuInit=error:{code};cuGetErrorName=error:1")
    assert (found.init_error_code.value, found.init_error.value) == (code, name)
    assert found.devices.absent == found.visible_uuids.absent == "failed"
    assert found.version.value == "12.4"


def test_no_device_is_an_answer(simulated: Machines) -> None:
    found = simulated(SMALL).collect(PROBE, CudaDriver, "cuInit=error:100")
    assert found.init_error.value == "CUDA_ERROR_NO_DEVICE"
    assert (found.device_count.value, found.devices.value, found.visible_uuids.value) == (0, (), ())


def test_a_driver_that_hangs_is_named_in_time(simulated: Machines) -> None:
    found, result = simulated("wedged-driver").examine(PROBE, CudaDriver, "", timeout_s=3.0)
    assert found is not None
    assert found.init_error.absent == found.devices.absent == "failed"
    assert found.init_error.detail == "cuInit hung or crashed and was left out"
    assert result.status == "timeout"


@pytest.mark.parametrize(("ends", "reason"), [(False, "timeout"), (True, "failed")])
def test_a_second_look_that_hangs_or_dies_is_ended_and_said_so(ends: bool, reason: str) -> None:
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        while not ends:
            signal.pause()
        os._exit(0)
    os.close(write_end) if ends else None
    found = visible.finish(visible.Look(pid, read_end), time.monotonic() + (10.0 if ends else 0.05))
    assert found.init_error.absent == found.uuids.absent == reason
    with suppress(ChildProcessError):  # on a busy machine it is not collected at once
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == (0 if ends else -signal.SIGKILL)
    if not ends:
        os.close(write_end)


def test_a_recorded_machine_is_not_asked(tmp_path: Path) -> None:
    found = PROBE.collect(ReplayHost(str(tmp_path)), Request())
    assert isinstance(found, CudaDriver)
    assert found.init_error.absent == "not_provided"
