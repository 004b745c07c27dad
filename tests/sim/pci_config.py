"""The binary configuration space of a PCI device: header, PCI Express capability, AER, ACS, resizable BAR."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PORT_TYPES = {"endpoint": 0, "root": 4, "upstream": 5, "downstream": 6}

_POWER_CAPABILITY = 0x60
_EXPRESS_CAPABILITY = 0x78
_AER = 0x100
_ACS = 0x150
_REBAR = 0x200


@dataclass(frozen=True)
class Link:
    """PCI Express link: what it does now, and what this end of it can do."""

    gen: int
    width: int
    max_gen: int
    max_width: int


@dataclass(frozen=True)
class Config:
    """What the configuration space says of a device."""

    vendor: int
    device: int
    class_code: int  # 24 bits
    port: str = "endpoint"
    link: Link | None = None
    subsystem: tuple[int, int] = (0, 0)
    buses: tuple[int, int, int] | None = None  # of a bridge: primary, secondary, subordinate
    acs: int | None = None  # control word
    rebar_mib: int | None = None  # present size of BAR 1
    rebar_max_mib: int = 0


def config_space(config: Config, *, privileged: bool = True) -> bytes:
    """4096 bytes for root; others get the first 64 from the kernel."""
    space = bytearray(4096)
    _header(space, config)
    struct.pack_into("<BBHH", space, _POWER_CAPABILITY, 0x01, _EXPRESS_CAPABILITY, 0x0003, 0x0008)
    _express(space, config)
    _extended(space, config)
    return bytes(space if privileged else space[:64])


def _header(space: bytearray, config: Config) -> None:
    struct.pack_into("<HHHH", space, 0x00, config.vendor, config.device, 0x0407, 0x0010)
    struct.pack_into("<I", space, 0x08, config.class_code << 8 | 0xA1)
    space[0x34] = _POWER_CAPABILITY
    if config.buses is None:
        struct.pack_into("<HH", space, 0x2C, *config.subsystem)
    else:
        space[0x0E] = 0x01
        struct.pack_into("<BBB", space, 0x18, *config.buses)


def _express(space: bytearray, config: Config) -> None:
    at = _EXPRESS_CAPABILITY
    struct.pack_into("<BBH", space, at, 0x10, 0x00, 0x0002 | PORT_TYPES[config.port] << 4)
    if config.link is not None:
        link = config.link
        struct.pack_into("<I", space, at + 0x0C, link.max_gen | link.max_width << 4)
        struct.pack_into("<H", space, at + 0x12, link.gen | link.width << 4)
        struct.pack_into("<I", space, at + 0x2C, ((1 << link.max_gen) - 1) << 1)


def _extended(space: bytearray, config: Config) -> None:
    chain = [(_AER, 0x0001, 2)]
    if config.acs is not None:
        chain.append((_ACS, 0x000D, 1))
        struct.pack_into("<HH", space, _ACS + 4, 0x005F, config.acs)
    if config.rebar_mib is not None:
        chain.append((_REBAR, 0x0015, 1))
        size = config.rebar_mib.bit_length() - 1
        # Every power of two from 64 MiB on; a VBIOS without support offers only the size that it has.
        most = max(config.rebar_max_mib, config.rebar_mib).bit_length() - 1
        resizable = most > size or size > 8
        sizes = sum(1 << exponent for exponent in range(min(6, size), most + 1)) if resizable else 1 << size
        struct.pack_into("<II", space, _REBAR + 4, sizes << 4 & 0xFFFFFFFF, 1 | 1 << 5 | size << 8)
    for (at, identity, version), following in zip(chain, [*chain[1:], (0, 0, 0)], strict=True):
        struct.pack_into("<I", space, at, identity | version << 16 | following[0] << 20)
