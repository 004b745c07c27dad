"""NVML's return codes, and what each one means for a fact that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gpudoctor.model.fact import Fact, Reason, absent, known

T = TypeVar("T")

SOURCE = "nvml"

INVALID_ARGUMENT = 2
NOT_SUPPORTED = 3
NOT_FOUND = 6
LIBRARY_NOT_FOUND = 12
FUNCTION_NOT_FOUND = 13
ARGUMENT_VERSION_MISMATCH = 25
NO_SENSE = -1  # ours: NVML answered, and not with anything that we know
LOST = frozenset({15, 16})  # GPU_IS_LOST, RESET_REQUIRED: the card is there and does not work

# From nvml.h. The Python package has the names too, but not every version has all of them.
_NAMES = {
    1: "UNINITIALIZED",
    INVALID_ARGUMENT: "INVALID_ARGUMENT",
    NOT_SUPPORTED: "NOT_SUPPORTED",
    4: "NO_PERMISSION",
    5: "ALREADY_INITIALIZED",
    NOT_FOUND: "NOT_FOUND",
    7: "INSUFFICIENT_SIZE",
    8: "INSUFFICIENT_POWER",
    9: "DRIVER_NOT_LOADED",
    10: "TIMEOUT",
    11: "IRQ_ISSUE",
    LIBRARY_NOT_FOUND: "LIBRARY_NOT_FOUND",
    FUNCTION_NOT_FOUND: "FUNCTION_NOT_FOUND",
    14: "CORRUPTED_INFOROM",
    15: "GPU_IS_LOST",
    16: "RESET_REQUIRED",
    17: "OPERATING_SYSTEM",
    18: "LIB_RM_VERSION_MISMATCH",
    19: "IN_USE",
    20: "MEMORY",
    21: "NO_DATA",
    22: "VGPU_ECC_NOT_SUPPORTED",
    23: "INSUFFICIENT_RESOURCES",
    24: "FREQ_NOT_SUPPORTED",
    ARGUMENT_VERSION_MISMATCH: "ARGUMENT_VERSION_MISMATCH",
    26: "DEPRECATED",
    27: "NOT_READY",
    28: "GPU_NOT_FOUND",
    29: "INVALID_STATE",
    30: "RESET_TYPE_NOT_SUPPORTED",
    999: "UNKNOWN",
}

# Codes that are not simply "it failed, for the reason that the name says".
_ABSENCES: dict[int, tuple[Reason, str]] = {
    NOT_SUPPORTED: ("not_supported", ""),
    4: ("no_permission", "NO_PERMISSION"),
    10: ("timeout", "TIMEOUT"),
    FUNCTION_NOT_FOUND: ("not_supported", "driver older than this query"),
    ARGUMENT_VERSION_MISMATCH: ("not_supported", "driver older than this query"),
}


class NvmlProblem(Exception):  # noqa: N818 - most of these are ordinary answers, not errors
    """A call that brought no value. `code` is NVML's, None where NVML did not answer at all."""

    def __init__(self, reason: Reason, detail: str, code: int | None = None) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
        self.code = code

    def fact(self) -> Fact[T]:
        """The absence that follows from it."""
        return absent(self.reason, self.detail, SOURCE)

    @property
    def unsupported(self) -> bool:
        """Whether NVML itself said NOT_SUPPORTED: for some queries that is the answer."""
        return self.code == NOT_SUPPORTED

    @property
    def try_older(self) -> bool:
        """Whether an older form of the same query may still work. Not where this one hung: so would the other."""
        return self.code in {FUNCTION_NOT_FOUND, ARGUMENT_VERSION_MISMATCH}


def error_name(code: int) -> str:
    """A code without its prefix: "GPU_IS_LOST"; "ERROR_77" for one that nvml.h did not have when this was written."""
    return _NAMES.get(code, f"ERROR_{code}")


def problem(code: int) -> NvmlProblem:
    """What a return code other than success means."""
    reason, detail = _ABSENCES.get(code, ("failed", error_name(code)))
    return NvmlProblem(reason, detail, code)


def outcome(query: Callable[..., T], *arguments: object) -> T | NvmlProblem:
    """What `query(*arguments)` returns, or why there is nothing; an answer that makes no sense is a parse_error."""
    try:
        return query(*arguments)
    except NvmlProblem as error:
        return error
    except ValueError as error:
        return NvmlProblem("parse_error", str(error)[:200], NO_SENSE)


def fact_of(query: Callable[..., T], *arguments: object) -> Fact[T]:
    """The same as a fact."""
    found = outcome(query, *arguments)
    return found.fact() if isinstance(found, NvmlProblem) else known(found, SOURCE)
