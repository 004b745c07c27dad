"""PCI addresses as the kernel log, NVML and tools write them, in the form of /sys: 0000:17:00.0."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"(?:PCI:)?(?:0x)?(?:([0-9a-f]{4,8}):)?(?:0x)?([0-9a-f]{2}):(?:0x)?([0-9a-f]{2})(?:\.([0-7]))?", re.IGNORECASE
)


def bus_id(text: str) -> str:
    """Lower case, at least four digits of domain, function 0 where none is given; "" for what is no address."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        return ""
    domain, bus, device, function = match.groups()
    domain = (domain or "0000").lower().lstrip("0").rjust(4, "0")
    return f"{domain}:{bus}:{device}.{function or '0'}".lower()
