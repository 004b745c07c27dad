"""The NVSwitch fabric as one GPU sees it."""

from __future__ import annotations

import ctypes

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import FUNCTION_NOT_FOUND, SOURCE, NvmlProblem, error_name, fact_of, outcome, problem
from gpudoctor.probes._nvml_fields import newest
from gpudoctor.probes._nvml_library import Device

FIELDS = ("fabric_state", "fabric_status", "fabric_unhealthy")

_STATES = {0: "not_supported", 1: "not_started", 2: "in_progress", 3: "completed"}
_COMPLETED = 3

# Two bits each: 0 not supported, 1 true, 2 false.
_HEALTH_FLAGS = ((0, "degraded_bandwidth"), (2, "route_recovery"), (4, "route_unhealthy"), (6, "access_timeout"))
_TRUE = 1
_CONFIGURATION_SHIFT = 8
# Four bits: 0 not supported, 1 nothing wrong.
_CONFIGURATIONS = {
    2: "incorrect_system_guid",
    3: "incorrect_chassis_serial",
    4: "no_partition",
    5: "insufficient_nvlinks",
    6: "incompatible_firmware",
    7: "invalid_location",
    8: "invalid_gpu_state",
}
_CONFIGURATION_OK = 1

_NOT_UP: Fact[object] = absent("not_applicable", "the fabric is not up yet", SOURCE)
_NONE_HERE: Fact[object] = absent("not_applicable", "this GPU is not part of a fabric", SOURCE)
_NO_FABRIC: dict[str, Fact[object]] = {
    "fabric_state": known("not_supported", SOURCE),
    "fabric_status": _NONE_HERE,
    "fabric_unhealthy": _NONE_HERE,
}


def read_fabric(gpu: Device) -> dict[str, Fact[object]]:
    """The three fabric facts by field name."""
    info = outcome(newest(_versioned, _unversioned), gpu)
    if isinstance(info, NvmlProblem):
        return _NO_FABRIC if info.unsupported else dict.fromkeys(FIELDS, info.fact())
    state = outcome(values.member, info, "state")
    if state == 0:
        return _NO_FABRIC
    return {
        "fabric_state": fact_of(_state_name, info),
        "fabric_status": fact_of(_status_name, info) if state == _COMPLETED else _NOT_UP,
        "fabric_unhealthy": fact_of(_unhealthy, info),
    }


def unhealthy_names(mask: int) -> tuple[str, ...]:
    """The names of what a health mask complains about."""
    names = [name for shift, name in _HEALTH_FLAGS if mask >> shift & 3 == _TRUE]
    configuration = mask >> _CONFIGURATION_SHIFT & 0xF
    if configuration > _CONFIGURATION_OK:
        names.append(_CONFIGURATIONS.get(configuration, f"incorrect_configuration_{configuration}"))
    return tuple(names)


def _state_name(info: object) -> object:
    return values.named(_STATES, values.member(info, "state"))


def _status_name(info: object) -> object:
    status = values.member(info, "status")
    return error_name(status) if status else "OK"


def _unhealthy(info: object) -> object:
    if not hasattr(info, "healthMask"):
        raise problem(FUNCTION_NOT_FOUND)
    return unhealthy_names(values.member(info, "healthMask"))


def _versioned(gpu: Device) -> object:
    info = gpu.library.structure("c_nvmlGpuFabricInfo_v2_t")
    gpu.call("nvmlDeviceGetGpuFabricInfoV", ctypes.byref(info))
    return info


def _unversioned(gpu: Device) -> object:
    info = gpu.library.structure("c_nvmlGpuFabricInfo_t")
    gpu.call("nvmlDeviceGetGpuFabricInfo", ctypes.byref(info))
    return info
