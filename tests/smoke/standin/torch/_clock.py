"""Time as the machine file has it: `time.perf_counter` stands still but for what a collective would take."""

from __future__ import annotations

import time

_seconds = 1.0


def spend(seconds: float) -> None:
    """Let time pass."""
    global _seconds  # noqa: PLW0603 - there is one time
    _seconds += seconds


def _now() -> float:
    return _seconds


time.perf_counter = _now
