"""/proc/PID/limits."""

from __future__ import annotations

from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.readers.numbers import integer

UNLIMITED = -1

_COLUMNS = lazy_pattern(r"\s{2,}")


def soft_limits(text: str) -> dict[str, int]:
    """Soft limits by the kernel's name ("Max locked memory"), in the kernel's unit; -1 where unlimited.

    Lines of any other form are left out.
    """
    limits: dict[str, int] = {}
    for line in text.splitlines()[1:64]:
        columns = _COLUMNS.split(line.strip())
        if len(columns) < 3:
            continue
        try:
            limits[columns[0]] = UNLIMITED if columns[1] == "unlimited" else integer(columns[1])
        except ValueError:
            continue
    return limits
