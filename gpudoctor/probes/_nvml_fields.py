"""The facts of one GPU: one entry of the table is one query. To add a fact, add its entry."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable

from msgspec import Struct

from gpudoctor.model.fact import Fact, Reason, absent, known
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import (
    FUNCTION_NOT_FOUND,
    INVALID_ARGUMENT,
    NOT_FOUND,
    SOURCE,
    NvmlProblem,
    outcome,
    problem,
)
from gpudoctor.probes._nvml_library import Device

Ask = Callable[[Device], object]

_MEMORY_V2 = 0x2000028
_FIELD_RECOVERY_ACTION = 230
_MAX_MIG_DEVICES = 16
_NUMA_WORDS = 16  # 1024 nodes, the most that Linux is built for
_NODE_SCOPE = 0
_UNSIGNED_INT = 1
_SLOWDOWN = 1
_GPU_SENSOR = 0
_CORRECTED, _UNCORRECTED = 0, 1
_VOLATILE, _AGGREGATE = 0, 1
_MULTIPLE_SINGLE_BIT, _DOUBLE_BIT = 0, 1


class Reading(Struct, frozen=True):
    """One query and the facts that it answers.

    `convert` returns as many values as there are fields, None for one that this form of the query does not tell.
    `unsupported` is what NOT_SUPPORTED means here: the reason of the absence, or the values themselves.
    """

    fields: tuple[str, ...]
    ask: Ask
    convert: Callable[[object], tuple[object, ...]]
    unsupported: Reason | tuple[object, ...] = "not_supported"

    def read(self, gpu: Device) -> dict[str, Fact[object]]:
        """The facts by field name."""
        found = outcome(lambda: self.convert(self.ask(gpu)))
        if not isinstance(found, NvmlProblem):
            return self._facts(found)
        if found.unsupported and isinstance(self.unsupported, tuple):
            return self._facts(self.unsupported)
        if found.unsupported and self.unsupported == "not_applicable":
            return self._absent(absent("not_applicable", "this GPU has none", SOURCE))
        return self._absent(found.fact())

    def _facts(self, found: Iterable[object]) -> dict[str, Fact[object]]:
        untold: Fact[object] = absent("not_supported", "driver older than this query", SOURCE)
        return {
            field: untold if value is None else known(value, SOURCE)
            for field, value in zip(self.fields, found, strict=True)
        }

    def _absent(self, fact: Fact[object]) -> dict[str, Fact[object]]:
        return dict.fromkeys(self.fields, fact)


def call(function: str, *arguments: object, mark: str = "") -> Ask:
    """A query that is one call."""
    return lambda gpu: gpu.call(function, *arguments, mark=mark)


def newest(*asks: Ask) -> Ask:
    """The first form of a query that this driver and this nvidia-ml-py know."""

    def ask(gpu: Device) -> object:
        for form in asks[:-1]:
            found = outcome(form, gpu)
            if not isinstance(found, NvmlProblem):
                return found
            if not found.try_older:
                raise found
        return asks[-1](gpu)

    return ask


def one(
    field: str,
    ask: Ask,
    convert: Callable[[object], object],
    unsupported: Reason | tuple[object, ...] = "not_supported",
) -> Reading:
    """A query that answers one fact."""
    return Reading((field,), ask, lambda value: (convert(value),), unsupported)


def field_value(gpu: Device, field: int) -> int:
    """One of NVML's numbered field values. Raises NvmlProblem, ValueError."""
    answer = gpu.call("nvmlDeviceGetFieldValues", [field])
    if not hasattr(answer, "__getitem__"):
        raise ValueError("no field values came back")
    code = values.member(answer[0], "nvmlReturn")
    if code:  # an unknown field is an invalid argument
        raise problem(FUNCTION_NOT_FOUND if code == INVALID_ARGUMENT else code)
    wide = values.member(answer[0].value, "ullVal")
    return wide & 0xFFFFFFFF if values.member(answer[0], "valueType") == _UNSIGNED_INT else wide


def _sram_status(gpu: Device) -> object:
    status = gpu.library.structure("c_nvmlEccSramErrorStatus_v1_t")
    gpu.call("nvmlDeviceGetSramEccErrorStatus", ctypes.byref(status))
    return status


def _retired_pages(gpu: Device) -> int:
    """Both causes together. A page is listed under one cause only."""
    total = 0
    for cause in (_MULTIPLE_SINGLE_BIT, _DOUBLE_BIT):
        pages = gpu.call("nvmlDeviceGetRetiredPages", cause)
        total += len(pages) if isinstance(pages, list) else 0
    return total


def _mig_devices(gpu: Device) -> int:
    """MIG devices of a GPU in MIG mode. Raises NvmlProblem: NOT_SUPPORTED where the chip has no MIG."""
    mode = gpu.call("nvmlDeviceGetMigMode")
    if not values.part(mode, 0):
        return 0
    found = 0
    for index in range(min(values.count(gpu.call("nvmlDeviceGetMaxMigDeviceCount")), _MAX_MIG_DEVICES)):
        handle = outcome(gpu.call, "nvmlDeviceGetMigDeviceHandleByIndex", index)
        if not isinstance(handle, NvmlProblem):
            found += 1
        elif handle.code not in {NOT_FOUND, INVALID_ARGUMENT}:
            raise handle
    return found


def _ecc(error: int, counter: int) -> Ask:
    return call("nvmlDeviceGetTotalEccErrors", error, counter)


READINGS: tuple[Reading, ...] = (
    one("name", call("nvmlDeviceGetName"), values.text),
    one("uuid", call("nvmlDeviceGetUUID"), values.text),
    Reading(("pci_bus_id", "pci_device_id"), call("nvmlDeviceGetPciInfo"), values.pci_info),
    one("minor_number", call("nvmlDeviceGetMinorNumber"), values.count),
    one("compute_capability", call("nvmlDeviceGetCudaComputeCapability"), values.capability),
    one("numa_node", call("nvmlDeviceGetMemoryAffinity", _NUMA_WORDS, _NODE_SCOPE), values.first_bit),
    one("virtualization_mode", call("nvmlDeviceGetVirtualizationMode"), values.virtualization_mode, ("none",)),
    one("gsp_firmware", call("nvmlDeviceGetGspFirmwareVersion"), values.text, "not_applicable"),
    one("display_active", call("nvmlDeviceGetDisplayActive"), values.flag),
    Reading(
        ("memory_total_bytes", "memory_free_bytes", "memory_used_bytes", "memory_reserved_bytes"),
        newest(
            call("nvmlDeviceGetMemoryInfo", _MEMORY_V2),
            call("nvmlDeviceGetMemoryInfo"),
        ),
        values.memory,
    ),
    one("utilization_percent", call("nvmlDeviceGetUtilizationRates"), lambda value: values.member(value, "gpu")),
    one("bar1_total_bytes", call("nvmlDeviceGetBAR1MemoryInfo"), lambda value: values.member(value, "bar1Total")),
    one("pcie_generation", call("nvmlDeviceGetCurrPcieLinkGeneration"), values.count),
    one("pcie_generation_max", call("nvmlDeviceGetMaxPcieLinkGeneration"), values.count),
    one("pcie_generation_gpu_max", call("nvmlDeviceGetGpuMaxPcieLinkGeneration"), values.count),
    one("pcie_width", call("nvmlDeviceGetCurrPcieLinkWidth"), values.count),
    one("pcie_width_max", call("nvmlDeviceGetMaxPcieLinkWidth"), values.count),
    one("pcie_replays", call("nvmlDeviceGetPcieReplayCounter"), values.count),
    one("compute_mode", call("nvmlDeviceGetComputeMode"), values.compute_mode),
    one("persistence", call("nvmlDeviceGetPersistenceMode"), values.flag),
    Reading(
        ("mig_enabled", "mig_pending"),
        call("nvmlDeviceGetMigMode"),
        lambda value: (values.part(value, 0) != 0, values.part(value, 1) != 0),
        (False, False),
    ),
    one("mig_devices", _mig_devices, values.whole, (0,)),
    one("ecc_enabled", call("nvmlDeviceGetEccMode"), lambda value: values.part(value, 0) != 0, "not_applicable"),
    one("ecc_uncorrected_volatile", _ecc(_UNCORRECTED, _VOLATILE), values.count, "not_applicable"),
    one("ecc_uncorrected_aggregate", _ecc(_UNCORRECTED, _AGGREGATE), values.count, "not_applicable"),
    one("ecc_corrected_volatile", _ecc(_CORRECTED, _VOLATILE), values.count, "not_applicable"),
    one(
        "sram_ecc_threshold_exceeded",
        _sram_status,
        lambda value: values.member(value, "bThresholdExceeded") != 0,
        "not_applicable",
    ),
    Reading(
        ("remapped_rows_uncorrected", "remap_pending", "remap_failed"),
        call("nvmlDeviceGetRemappedRows"),
        lambda value: (values.part(value, 1), values.part(value, 2) != 0, values.part(value, 3) != 0),
        "not_applicable",
    ),
    one("pages_retired", _retired_pages, values.whole, "not_applicable"),
    one("pages_pending", call("nvmlDeviceGetRetiredPagesPendingStatus"), values.flag, "not_applicable"),
    one("recovery_action", lambda gpu: field_value(gpu, _FIELD_RECOVERY_ACTION), values.recovery_action),
    one(
        "temperature_c",
        newest(call("nvmlDeviceGetTemperature", _GPU_SENSOR), call("nvmlDeviceGetTemperatureV", _GPU_SENSOR)),
        values.whole,
    ),
    one("temperature_slowdown_c", call("nvmlDeviceGetTemperatureThreshold", _SLOWDOWN), values.whole),
    one("power_draw_mw", call("nvmlDeviceGetPowerUsage"), values.count),
    one("power_limit_mw", call("nvmlDeviceGetEnforcedPowerLimit"), values.count),
    one("power_limit_default_mw", call("nvmlDeviceGetPowerManagementDefaultLimit"), values.count),
    one(
        "clock_event_reasons",
        newest(
            call("nvmlDeviceGetCurrentClocksEventReasons"),
            call("nvmlDeviceGetCurrentClocksThrottleReasons"),
        ),
        values.clock_event_reasons,
    ),
)
