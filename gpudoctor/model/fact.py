"""A fact: a value with its source, or an absence with a reason. Never NaN, never "N/A", never a guess."""

import math
from typing import Any, Final, Generic, Literal, TypeVar, get_args

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Reason = Literal[
    "not_applicable",  # the thing does not exist on this machine (NVLink on a card without the connector)
    "no_permission",  # it exists, this user may not read it
    "tool_missing",  # the program or library that would tell is not installed
    "timeout",  # the source did not answer in time
    "parse_error",  # the source answered in a form we do not understand
    "not_supported",  # the source answered that it cannot tell
    "not_provided",  # nobody asked, or the input did not contain it
    "failed",  # the source crashed or returned an error; the detail says which
]
REASONS: Final[tuple[str, ...]] = get_args(Reason)


class Fact(Struct, Generic[T_co], frozen=True, omit_defaults=True):
    """Exactly one of `value` and `absent` is set.

    As JSON: `{"value": 24564, "source": "nvml"}` or `{"absent": "no_permission", "detail": "...", "source": "..."}`.
    """

    value: T_co | UnsetType = UNSET
    absent: Reason | None = None
    detail: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a fact that is both or neither, and a float that is not a number."""
        if (self.value is UNSET) == (self.absent is None):
            raise ValueError("a fact is either a value or an absence with a reason")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError("a fact is never NaN or infinite")

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.absent is None

    def or_none(self) -> T_co | None:
        """The value, or None where absent."""
        return None if isinstance(self.value, UnsetType) else self.value

    def why(self) -> str:
        """The reason of an absence in one line, for `not_evaluated` and the report."""
        return f"{self.absent} ({self.detail})" if self.detail else str(self.absent)


def known(value: T, source: str) -> Fact[T]:
    """A fact that was read from `source`."""
    return Fact(value=value, source=source)


def absent(reason: Reason, detail: str = "", source: str = "") -> Fact[T]:
    """A fact that could not be had, and why."""
    return Fact(absent=reason, detail=detail, source=source)


def absent_like(other: Fact[Any], detail: str = "") -> Fact[T]:
    """The absence of a fact that would follow from `other`, for the same reason."""
    return Fact(absent=other.absent or "not_provided", detail=detail or other.detail, source=other.source)


# One shared object: msgspec leaves a field out of the JSON when it is this very default.
NOT_PROVIDED: Final[Fact[Any]] = Fact(absent="not_provided")
