"""How a probe ended."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ProbeStatus = Literal["ok", "failed", "timeout", "skipped"]


class ProbeResult(Struct, frozen=True, forbid_unknown_fields=True):
    """How a probe ended. `reason` is empty for ok."""

    name: str
    status: ProbeStatus
    seconds: float
    reason: str = ""
