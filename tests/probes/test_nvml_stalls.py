"""NVML functions that hang or crash, through the runner that gpudoctor itself uses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gpudoctor.model.facts.nvml import Nvml
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.probes.nvml import PROBE
from tests.probes.simulated import TIMEOUT_S, Simulated
from tests.probes.test_nvml_faults import GEFORCE, HANDLE, SWITCHED, TELLS, differences

Machines = Callable[[str], Simulated]

SOON_S = 3.0  # a call counts as hung after a third of it


def examined(target: Simulated, faults: str, timeout_s: float = TIMEOUT_S) -> tuple[Nvml, ProbeResult]:
    found, result = target.examine(PROBE, Nvml, faults, timeout_s=timeout_s)
    assert found is not None, result
    return found, result


@pytest.mark.parametrize("function", sorted({name.rpartition("_v")[0] or name for name in TELLS}))
def test_a_crash_costs_what_the_function_tells_and_names_it(simulated: Machines, function: str) -> None:
    target = simulated(GEFORCE)
    healthy = target.collect(PROBE, Nvml)
    found, result = examined(target, f"{function}=crash")
    changed = differences(healthy, found)
    if changed:  # else the function is not needed on this machine
        stalled = found.stalled_calls.or_none() or ()
        assert {name.rpartition("_v")[0] or name for name in stalled} == {function}
        changed.pop("stalled_calls")
        assert result.status == "failed"
        assert f"was killed by SIGSEGV in {function}" in result.reason
    tells = [fields for name, fields in TELLS.items() if name in {function, f"{function}_v2", f"{function}_v3"}]
    assert set(changed) <= set().union(*tells)


def test_a_call_that_hangs_for_one_gpu_costs_that_gpu_one_fact(simulated: Machines) -> None:
    target = simulated(GEFORCE)
    healthy = target.collect(PROBE, Nvml)
    found, result = examined(target, "nvmlDeviceGetTemperature@1=hang", SOON_S)
    before, after = healthy.devices.or_none() or (), found.devices.or_none() or ()
    assert after[0] == before[0]
    assert after[1].temperature_c.absent == "failed"
    assert after[1].power_draw_mw == before[1].power_draw_mw
    assert found.stalled_calls.value == ("nvmlDeviceGetTemperature",)
    assert result.status == "timeout"
    assert "nvmlDeviceGetTemperature@1 did not return" in result.reason


def test_a_gpu_on_which_two_functions_stall_is_left_alone(simulated: Machines) -> None:
    target = simulated(SWITCHED)
    healthy = target.collect(PROBE, Nvml)
    functions = ("nvmlDeviceGetName", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetTemperature", "nvmlDeviceGetNvLinkState")
    found, result = examined(target, ";".join(f"{function}@5=crash" for function in functions))
    before, after = healthy.devices.or_none() or (), found.devices.or_none() or ()
    assert [gpu.index for gpu in after if gpu == before[gpu.index]] == [0, 1, 2, 3, 4, 6, 7]
    assert after[5].access_error.absent == after[5].uuid.absent == "failed"
    assert result.reason.count("SIGSEGV") == 2
    pairs = {(pair.a, pair.b): pair for pair in found.pairs.or_none() or ()}
    assert pairs[0, 1] == (healthy.pairs.or_none() or ())[0]
    assert pairs[5, 1].level.absent == "failed"


def test_a_function_that_stalls_on_two_gpus_is_left_out_for_all(simulated: Machines) -> None:
    found, result = examined(simulated(SWITCHED), "nvmlDeviceGetEccMode=abort")
    assert {gpu.ecc_enabled.absent for gpu in found.devices.or_none() or ()} == {"failed"}
    assert result.reason.count("nvmlDeviceGetEccMode@") == 2


def test_gpus_that_cannot_be_opened_without_a_crash_keep_their_entries(simulated: Machines) -> None:
    found, _ = examined(simulated(GEFORCE), f"{HANDLE}=crash")
    assert [gpu.index for gpu in found.devices.or_none() or ()] == [0, 1]
    assert found.driver_version.value == "550.163.01"
    assert found.pairs.or_none() is not None


def test_a_driver_in_which_everything_hangs_is_named_in_time(simulated: Machines) -> None:
    found, result = examined(simulated("wedged-driver"), "", SOON_S)
    assert found.stalled_calls.value == ("nvmlInit",)
    assert found.init_error.absent == found.devices.absent == "failed"
    assert result.status == "timeout"
    assert result.reason.startswith("nvmlInit did not return within")
