"""PCI Express configuration space: the ACS control word of a bridge."""

from __future__ import annotations

_EXTENDED_START = 0x100
_FULL_SIZE = 0x1000
_ACS = 0x000D
_ACS_CONTROL_OFFSET = 6
_REQUEST_REDIRECT = 1 << 2
_COMPLETION_REDIRECT = 1 << 3
_NOBODY = b"\xff\xff\xff\xff"


class ConfigUnreadableError(ValueError):
    """The bytes do not reach the extended capabilities: who reads without privilege gets the first 64."""


class DeviceSilentError(ValueError):
    """All ones: the device is powered down or gone."""


def acs_control(config: bytes) -> int | None:
    """The 16-bit ACS control word, or None for a device without that capability.

    Layout: PCI Express base specification, access control services extended capability (id 0x000d).
    Raises ConfigUnreadableError, DeviceSilentError.
    """
    if config[:4] == _NOBODY:
        raise DeviceSilentError("the device does not answer")
    if len(config) <= _EXTENDED_START:
        raise ConfigUnreadableError(f"only {len(config)} bytes")
    offset = _EXTENDED_START
    seen: set[int] = set()
    while _EXTENDED_START <= offset <= min(len(config), _FULL_SIZE) - 8 and offset not in seen:
        seen.add(offset)
        header = int.from_bytes(config[offset : offset + 4], "little")
        if header in {0, 0xFFFFFFFF}:
            return None
        if header & 0xFFFF == _ACS:
            start = offset + _ACS_CONTROL_OFFSET
            return int.from_bytes(config[start : start + 2], "little")
        offset = header >> 20 & 0xFFC
    return None


def redirects(control: int) -> bool:
    """Whether peer-to-peer requests or completions are sent upstream instead of straight to the peer."""
    return bool(control & (_REQUEST_REDIRECT | _COMPLETION_REDIRECT))
