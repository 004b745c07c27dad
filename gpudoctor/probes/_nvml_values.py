"""What NVML returns, turned into fact values. Every converter raises ValueError for what it does not understand."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence

_MAX_TEXT = 200
_U32_NONE = 0xFFFFFFFF
_U64_NONE = 0xFFFFFFFFFFFFFFFF

_COMPUTE_MODES = {0: "default", 1: "exclusive_thread", 2: "prohibited", 3: "exclusive_process"}
_VIRTUALIZATION_MODES = {0: "none", 1: "passthrough", 2: "vgpu", 3: "host_vgpu", 4: "host_vsga"}
_RECOVERY_ACTIONS = {
    0: "none",
    1: "reset",
    2: "reboot",
    3: "drain_p2p",
    4: "drain_and_reset",
    5: "recover_imex",
    6: "bus_reset",
    7: "reboot",
}
_CLOCK_EVENT_REASONS = (
    "gpu_idle",
    "app_clocks",
    "sw_power_cap",
    "hw_slowdown",
    "sync_boost",
    "sw_thermal",
    "hw_thermal",
    "hw_power_brake",
    "display_clock",
)
# nvmlNvlinkVersion_t. Some drivers are said to return the plain generation instead; 3, 4 and 5 mean both, so that the
# card's own generation decides there.
_NVLINK_VERSIONS = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 5, 8: 6}
_AMBIGUOUS_NVLINK_VERSIONS = frozenset({3, 4, 5})
_NVLINK_OF_COMPUTE_MAJOR = {6: 1, 7: 2, 8: 3, 9: 4, 10: 5}


class Malformed(ValueError):  # noqa: N818 - an answer, not an error of ours
    """A value of another type or range than NVML documents."""


def whole(value: object) -> int:
    """An integer, plain or as ctypes holds it."""
    inner = getattr(value, "value", value)
    if not isinstance(inner, int):
        raise Malformed(f"{inner!r} is not a number")
    return int(inner)


def member(struct: object, name: str) -> int:
    """An integer member of a C struct."""
    return whole(getattr(struct, name, None))


def part(value: object, index: int) -> int:
    """An integer of a tuple or list."""
    if not isinstance(value, Sequence) or index >= len(value):
        raise Malformed(f"{value!r} has no element {index}")
    return whole(value[index])


def text(value: object) -> str:
    """A string; older versions of nvidia-ml-py return bytes."""
    if isinstance(value, bytes):
        value = value.split(b"\0", 1)[0].decode("utf-8", "replace")
    if not isinstance(value, str):
        raise Malformed(f"{value!r} is not a string")
    return "".join(character for character in value if character.isprintable()).strip()[:_MAX_TEXT]


def flag(value: object) -> bool:
    """An enable state."""
    return whole(value) != 0


def count(value: object) -> int:
    """A number that is never as large as the value which means "not available"."""
    number = whole(value)
    if number in {_U32_NONE, _U64_NONE} or number < 0:
        raise Malformed(f"{number} stands for no value")
    return number


def bus_id(value: object) -> str:
    """00000000:17:00.0 of an nvmlPciInfo_t, as /sys writes it: 0000:17:00.0."""
    raw = text(getattr(value, "busId", None)).lower()
    domain, separator, rest = raw.partition(":")
    if not separator or not rest:
        raise Malformed(f"{raw!r} is not a PCI address")
    return f"{int(domain, 16):04x}:{rest}"


def pci_info(value: object) -> tuple[str, str]:
    """Address, and the device half of the id (vendor in the low word)."""
    return bus_id(value), f"{member(value, 'pciDeviceId') >> 16 & 0xFFFF:04x}"


def cuda_version(value: object) -> str:
    """12080 → "12.8"."""
    number = count(value)
    return f"{number // 1000}.{number % 1000 // 10}"


def capability(value: object) -> str:
    """(8, 9) → "8.9"."""
    return f"{part(value, 0)}.{part(value, 1)}"


def memory(value: object) -> tuple[int, int, int, int | None]:
    """Total, free, used, reserved in bytes. The first version of the struct does not tell the reserve apart."""
    reserved = member(value, "reserved") if hasattr(value, "reserved") else None
    return member(value, "total"), member(value, "free"), member(value, "used"), reserved


def first_bit(value: object) -> int:
    """The lowest set bit of an array of words: the NUMA node of a memory affinity mask."""
    if not isinstance(value, ctypes.Array):
        raise Malformed(f"{value!r} is not a mask")
    for index, word in enumerate(map(whole, value)):
        if word:
            return index * 64 + (word & -word).bit_length() - 1
    raise Malformed("no bit is set")


def compute_mode(value: object) -> str:
    """nvmlComputeMode_t."""
    return named(_COMPUTE_MODES, value)


def virtualization_mode(value: object) -> str:
    """nvmlGpuVirtualizationMode_t."""
    return named(_VIRTUALIZATION_MODES, value)


def recovery_action(value: object) -> str:
    """nvmlDeviceGpuRecoveryAction_t."""
    return named(_RECOVERY_ACTIONS, value)


def clock_event_reasons(value: object) -> tuple[str, ...]:
    """The names of the set bits, known ones only."""
    mask = whole(value)
    return tuple(name for bit, name in enumerate(_CLOCK_EVENT_REASONS) if mask >> bit & 1)


def nvlink_generation(value: object, compute_capability: str) -> int:
    """The NVLink generation of a link. `compute_capability` is "" where it is not known."""
    number = count(value)
    native = _NVLINK_OF_COMPUTE_MAJOR.get(int(compute_capability.partition(".")[0] or 0))
    if native is not None and native in {number, _NVLINK_VERSIONS.get(number)}:
        return native
    if number in _AMBIGUOUS_NVLINK_VERSIONS:
        raise Malformed(f"{number} may be a generation or the number of a version")
    return _NVLINK_VERSIONS.get(number, number)


def named(names: Mapping[int, str], value: object) -> str:
    """The name of an enumeration's number."""
    number = whole(value)
    name = names.get(number)
    if name is None:
        raise Malformed(f"{number} has no name")
    return name
