"""Small files of /sys/class/infiniband/*/ports/*."""

from __future__ import annotations

from gpudoctor.lazy_pattern import lazy_pattern

_STATE = lazy_pattern(r"\d+: ([A-Z_]{1,24})")
_RATE = lazy_pattern(r"(\d{1,5}(?:\.\d{1,2})?) Gb/sec")
_LINK_LAYERS = frozenset({"InfiniBand", "Ethernet"})


def port_state(text: str) -> str:
    """ACTIVE of "4: ACTIVE". Raises ValueError."""
    match = _STATE.fullmatch(text)
    if match is None:
        raise ValueError("not a port state")
    return match.group(1)


def rate_gbps(text: str) -> float:
    """200.0 of "200 Gb/sec (4X HDR)". Raises ValueError."""
    match = _RATE.match(text)
    if match is None:
        raise ValueError("not a rate")
    return float(match.group(1))


def link_layer(text: str) -> str:
    """InfiniBand or Ethernet. Raises ValueError."""
    if text not in _LINK_LAYERS:
        raise ValueError("not a link layer")
    return text
