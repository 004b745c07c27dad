"""Every NVML function failing in every way: what it tells is absent for the right reason, and the rest stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from gpudoctor.host.probe import Request
from gpudoctor.model.fact import Fact
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.nvml import Nvml, NvmlPair
from gpudoctor.model.facts.section import Item
from gpudoctor.probes.nvml import PROBE
from tests.probes.simulated import Simulated

Machines = Callable[[str], Simulated]

GEFORCE, SWITCHED = "rtx3090x2-nvlink", "h100x8-nvswitch"

INIT = "nvmlInit"
HANDLE = "nvmlDeviceGetHandleByIndex"
NVLINK = {"nvlinks_total", "nvlinks_active", "nvlink_version", "nvlink_to_switch", "nvlink_crc_errors", "pairs.nvlinks"}
FABRIC = {"fabric_state", "fabric_status", "fabric_unhealthy"}
MEMORY = {"memory_total_bytes", "memory_free_bytes", "memory_used_bytes", "memory_reserved_bytes"}
CLOCKS = {"clock_event_reasons"}
PCI = {"pci_bus_id", "pci_device_id", "pairs.nvlinks"}
RETIRED = {"pages_retired"}

# What a function tells, as far as nothing else tells it too. Each function that is called must be here.
TELLS: dict[str, set[str]] = {
    "nvmlDeviceGetBAR1MemoryInfo": {"bar1_total_bytes"},
    "nvmlDeviceGetComputeMode": {"compute_mode"},
    "nvmlDeviceGetComputeRunningProcesses_v3": {"processes"},
    "nvmlDeviceGetCount_v2": {"count"},
    "nvmlDeviceGetCudaComputeCapability": {"compute_capability", "nvlink_version"},
    "nvmlDeviceGetCurrPcieLinkGeneration": {"pcie_generation"},
    "nvmlDeviceGetCurrPcieLinkWidth": {"pcie_width"},
    "nvmlDeviceGetCurrentClocksEventReasons": CLOCKS,
    "nvmlDeviceGetDisplayActive": {"display_active"},
    "nvmlDeviceGetEccMode": {"ecc_enabled"},
    "nvmlDeviceGetEnforcedPowerLimit": {"power_limit_mw"},
    "nvmlDeviceGetFieldValues": {"recovery_action"},
    "nvmlDeviceGetGpuFabricInfoV": FABRIC,
    "nvmlDeviceGetGpuMaxPcieLinkGeneration": {"pcie_generation_gpu_max"},
    "nvmlDeviceGetGraphicsRunningProcesses_v3": {"processes"},
    "nvmlDeviceGetGspFirmwareVersion": {"gsp_firmware"},
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": {"processes"},
    "nvmlDeviceGetMaxMigDeviceCount": {"mig_devices"},
    "nvmlDeviceGetMaxPcieLinkGeneration": {"pcie_generation_max"},
    "nvmlDeviceGetMaxPcieLinkWidth": {"pcie_width_max"},
    "nvmlDeviceGetMemoryAffinity": {"numa_node"},
    "nvmlDeviceGetMemoryInfo_v2": MEMORY,
    "nvmlDeviceGetMigMode": {"mig_enabled", "mig_pending", "mig_devices"},
    "nvmlDeviceGetMinorNumber": {"minor_number"},
    "nvmlDeviceGetName": {"name"},
    "nvmlDeviceGetNvLinkErrorCounter": {"nvlink_crc_errors"},
    "nvmlDeviceGetNvLinkRemoteDeviceType": {"nvlink_to_switch", "pairs.nvlinks"},
    "nvmlDeviceGetNvLinkRemotePciInfo_v2": {"pairs.nvlinks"},
    "nvmlDeviceGetNvLinkState": NVLINK,
    "nvmlDeviceGetNvLinkVersion": {"nvlink_version"},
    "nvmlDeviceGetP2PStatus": {f"pairs.p2p_{name}" for name in ("read", "write", "nvlink", "atomics", "pcie")},
    "nvmlDeviceGetPciInfo_v3": PCI,
    "nvmlDeviceGetPcieReplayCounter": {"pcie_replays"},
    "nvmlDeviceGetPersistenceMode": {"persistence"},
    "nvmlDeviceGetPowerManagementDefaultLimit": {"power_limit_default_mw"},
    "nvmlDeviceGetPowerUsage": {"power_draw_mw"},
    "nvmlDeviceGetRemappedRows": {"remapped_rows_uncorrected", "remap_pending", "remap_failed"},
    "nvmlDeviceGetRetiredPages": RETIRED,
    "nvmlDeviceGetRetiredPagesPendingStatus": {"pages_pending"},
    "nvmlDeviceGetSramEccErrorStatus": {"sram_ecc_threshold_exceeded"},
    "nvmlDeviceGetTemperature": {"temperature_c"},
    "nvmlDeviceGetTemperatureThreshold": {"temperature_slowdown_c"},
    "nvmlDeviceGetTopologyCommonAncestor": {"pairs.level"},
    "nvmlDeviceGetTotalEccErrors": {
        "ecc_uncorrected_volatile",
        "ecc_uncorrected_aggregate",
        "ecc_corrected_volatile",
    },
    "nvmlDeviceGetUUID": {"uuid"},
    "nvmlDeviceGetUtilizationRates": {"utilization_percent"},
    "nvmlDeviceGetVirtualizationMode": {"virtualization_mode"},
    "nvmlSystemGetConfComputeState": {"confidential_compute"},
    "nvmlSystemGetCudaDriverVersion": {"cuda_driver_version"},
    "nvmlSystemGetCudaDriverVersion_v2": {"cuda_driver_version"},
    "nvmlSystemGetDriverVersion": {"driver_version"},
    "nvmlSystemGetNVMLVersion": {"library_version"},
}
# The reason of an absence by return code. NOT_SUPPORTED (3) is an answer, which differs from fact to fact.
REASONS = {
    2: "failed",
    4: "no_permission",
    10: "timeout",
    13: "not_supported",
    15: "failed",
    16: "failed",
    999: "failed",
}
LOST = {15: "GPU_IS_LOST", 16: "RESET_REQUIRED"}


def items(fact: Fact[tuple[Item, ...]]) -> tuple[Item, ...]:
    return fact.or_none() or ()


def differences(healthy: Nvml, found: Nvml) -> dict[str, list[Fact[object]]]:
    """Fields that differ (of GPUs plain, of pairs with their list's name) and the facts found there."""
    changed: dict[str, list[Fact[object]]] = {}

    def compare(before: object, after: object, fields: tuple[str, ...], prefix: str) -> None:
        for field in fields:
            old, new = getattr(before, field), getattr(after, field)
            if old != new:
                changed.setdefault(prefix + field, []).append(new)

    listed = ("devices", "pairs")
    compare(healthy, found, tuple(field for field in Nvml.__struct_fields__ if field not in listed), "")
    for name, kind, prefix in (("devices", Gpu, ""), ("pairs", NvmlPair, "pairs.")):
        before, after = items(getattr(healthy, name)), items(getattr(found, name))
        if len(before) != len(after):
            changed.setdefault(name, []).append(getattr(found, name))
        for old, new in zip(before, after, strict=False):
            compare(
                old, new, tuple(field for field in kind.__struct_fields__ if field not in {"index", "a", "b"}), prefix
            )
    return changed


@pytest.fixture(scope="module", params=[GEFORCE, SWITCHED])
def target(request: pytest.FixtureRequest, simulated: Machines) -> Simulated:
    return simulated(request.param)


def called_functions(target: Simulated, log: Path) -> Iterator[str]:
    """Those that the probe really calls on this machine."""

    def logged() -> Nvml:
        os.environ["GPUSIM_CALLS"] = str(log)
        return cast("Nvml", PROBE.collect(target.host(), Request()))

    target.sections(Nvml, [logged])
    yield from sorted(
        {line.split()[1] for line in log.read_text().splitlines()} - {INIT, f"{INIT}WithFlags", f"{HANDLE}_v2"}
    )


def sweep(target: Simulated, faults: list[str], skips: list[frozenset[str]] | None = None) -> list[Nvml]:
    """The section for each fault (or each set of functions to leave out), after the one without any."""
    requests = [Request(skip_calls=skip) for skip in skips or [frozenset()] * len(faults)]

    def collector(fault: str, request: Request) -> Callable[[], Nvml]:
        def collect() -> Nvml:
            os.environ["GPUSIM_FAULTS"] = fault
            return cast("Nvml", PROBE.collect(target.host(), request))

        return collect

    cases = [("", Request()), *zip(faults, requests, strict=True)]
    return target.sections(Nvml, [collector(fault, request) for fault, request in cases])


@pytest.mark.parametrize("code", [*REASONS, 3])
def test_an_error_of_one_function_costs_what_that_function_tells(target: Simulated, code: int, tmp_path: Path) -> None:
    functions = list(called_functions(target, tmp_path / "calls"))
    assert set(functions) <= set(TELLS), "a function is called of which this table does not know what it tells"
    healthy, *sections = sweep(target, [f"{function}=error:{code}" for function in functions])
    for function, found in zip(functions, sections, strict=True):
        changed = differences(healthy, found)
        of_device = function.startswith("nvmlDevice") and function not in {
            "nvmlDeviceGetCount_v2",
            "nvmlDeviceGetP2PStatus",
            "nvmlDeviceGetTopologyCommonAncestor",
        }
        if code in LOST and of_device:
            assert {fact.value for fact in changed.pop("access_error")} == {LOST[code]}, function
        assert set(changed) <= TELLS[function], function
        for field, facts in changed.items():
            for fact in facts if code != 3 else []:
                again = fact.absent in {REASONS[code], "parse_error", "not_supported"} or fact.known
                assert again, (function, field, fact)


@pytest.mark.parametrize("code", [4, 10, 999])
def test_an_error_that_is_no_answer_makes_all_that_the_function_tells_absent(
    target: Simulated, code: int, tmp_path: Path
) -> None:
    several_sources = {"processes", "nvlink_crc_errors", "count", "nvlink_version", "pairs.nvlinks"}
    simple = {
        function: TELLS[function]
        for function in called_functions(target, tmp_path / "calls")
        if function.startswith("nvmlDevice") and len(TELLS[function]) == 1 and not TELLS[function] & several_sources
    }
    _, *sections = sweep(target, [f"{function}=error:{code}" for function in simple])
    for (function, fields), found in zip(simple.items(), sections, strict=True):
        (field,) = fields
        if field == "pairs.level":
            facts = [pair.level for pair in found.pairs.or_none() or ()]
        else:
            facts = [getattr(gpu, field) for gpu in found.devices.or_none() or ()]
        assert [fact.absent for fact in facts] == [REASONS[code]] * len(facts), function


def test_a_function_that_is_left_out_costs_what_it_tells_and_is_listed(target: Simulated, tmp_path: Path) -> None:
    functions = [function.rpartition("_v")[0] or function for function in called_functions(target, tmp_path / "calls")]
    healthy, *sections = sweep(target, [""] * len(functions), [frozenset({function}) for function in functions])
    tells: dict[str, set[str]] = {}
    for function, fields in TELLS.items():
        tells.setdefault(function.rpartition("_v")[0] or function, set()).update(fields)
    for function, found in zip(functions, sections, strict=True):
        changed = differences(healthy, found)
        assert [fact.value for fact in changed.pop("stalled_calls")] == [(function,)]
        assert set(changed) <= tells[function], function
        details = {fact.detail for facts in changed.values() for fact in facts if fact.absent == "failed"}
        assert details <= {f"{function} hung or crashed and was left out"}


@pytest.mark.parametrize("name", sorted(TELLS))
def test_a_function_that_the_driver_does_not_have_costs_what_it_tells(simulated: Machines, name: str) -> None:
    target = simulated(GEFORCE)
    healthy = target.collect(PROBE, Nvml)
    found = target.collect(PROBE, Nvml, faults=f"{name}=missing")
    changed = differences(healthy, found)
    assert set(changed) <= TELLS[name]
    for facts in changed.values():
        assert {fact.absent for fact in facts} <= {None, "not_supported", "parse_error"}


def test_without_the_second_version_the_reserve_counts_as_used(simulated: Machines) -> None:
    target = simulated(GEFORCE)
    found = target.collect(PROBE, Nvml, faults="nvmlDeviceGetMemoryInfo_v2=missing")
    gpu = (found.devices.or_none() or ())[0]
    assert gpu.memory_used_bytes.value == (312 + 1) << 20
    assert gpu.memory_reserved_bytes.absent == "not_supported"
    assert gpu.memory_reserved_bytes.detail == "driver older than this query"


@pytest.mark.parametrize(("code", "name"), [(15, "GPU_IS_LOST"), (16, "RESET_REQUIRED"), (999, "UNKNOWN")])
def test_a_gpu_that_cannot_be_opened_keeps_its_entry_and_the_others_their_facts(
    simulated: Machines, code: int, name: str
) -> None:
    target = simulated(SWITCHED)
    healthy, found = sweep(target, [f"{HANDLE}@3=error:{code}"])
    before, after = healthy.devices.or_none() or (), found.devices.or_none() or ()
    assert [gpu.access_error.value for gpu in after] == ["", "", "", name, "", "", "", ""]
    assert after[3].name.absent == "failed"
    assert after[3].name.detail == name
    assert [gpu for gpu in after if gpu.index != 3] == [gpu for gpu in before if gpu.index != 3]
    for pair, was in zip(found.pairs.or_none() or (), healthy.pairs.or_none() or (), strict=True):
        if 3 in {pair.a, pair.b}:
            assert pair.level.absent == pair.p2p_read.absent == pair.nvlinks.absent == "failed"
        else:
            assert pair == was


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (4, "NO_PERMISSION"),
        (9, "DRIVER_NOT_LOADED"),
        (17, "OPERATING_SYSTEM"),
        (18, "LIB_RM_VERSION_MISMATCH"),
        (999, "UNKNOWN"),
    ],
)
def test_an_init_that_fails_is_named_and_nothing_else_is_known(simulated: Machines, code: int, name: str) -> None:
    found = simulated(GEFORCE).collect(PROBE, Nvml, faults=f"{INIT}=error:{code}")
    assert found.init_error.value == name
    assert found.devices.absent == found.count.absent == found.driver_version.absent == "failed"
    assert found.devices.detail == f"nvmlInit: {name}"


def test_an_init_that_is_left_out_leaves_nothing(simulated: Machines) -> None:
    found = simulated(GEFORCE).collect(PROBE, Nvml, request=Request(skip_calls=frozenset({INIT})))
    assert found.stalled_calls.value == (INIT,)
    assert {getattr(found, field).absent for field in Nvml.__struct_fields__ if field != "stalled_calls"} == {"failed"}


def test_without_a_count_the_gpus_are_still_found(simulated: Machines) -> None:
    target = simulated(SWITCHED)
    healthy, found = sweep(target, ["nvmlDeviceGetCount=error:999"])
    assert found.count.absent == "failed"
    assert found.devices == healthy.devices
    assert found.pairs == healthy.pairs
