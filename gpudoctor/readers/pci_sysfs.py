"""Small files of /sys/bus/pci/devices/*: BARs, link, error counters, the place in the tree."""

from __future__ import annotations

import re

from msgspec import Struct

from gpudoctor.readers.numbers import integer

_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-1][0-9a-f]\.[0-7]")
_ROOT = re.compile(r"pci[0-9a-f]{4,8}:[0-9a-f]{2}")
_SPEED = re.compile(r"(\d{1,3}(?:\.\d)?) GT/s")
_WIDTHS = frozenset({1, 2, 4, 8, 12, 16, 32})
_MAX_ADDRESS = 1 << 63


class Place(Struct, frozen=True):
    """Where a device is: its host bridge (`pci0000:00`, "" where unknown) and the bridges, root port first."""

    root: str
    bridges: tuple[str, ...]


def is_address(name: str) -> bool:
    """Whether a name is a PCI address such as 0000:17:00.0."""
    return _ADDRESS.fullmatch(name) is not None


def address_order(address: str) -> tuple[int, str]:
    """Sort key: bus order, longer domains (10000:...) last."""
    return len(address), address


def place_of(real_path: str) -> Place:
    """From the resolved path of a device, /sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0.

    Behind a second host bridge (VMD, virtual machines) only what is below that one counts.
    """
    parts = real_path.split("/")
    roots = [index for index, part in enumerate(parts) if _ROOT.fullmatch(part)]
    if not roots:
        return Place("", ())
    bridges = tuple(part for part in parts[roots[-1] + 1 : -1] if is_address(part))
    return Place(parts[roots[-1]], bridges)


def bar_sizes(text: str) -> tuple[int, int]:
    """Bytes of what NVIDIA calls BAR0 (registers) and BAR1 (window into the memory); 0 where not assigned.

    Since Hopper BAR0 has 64 bits and takes two of the kernel's slots, so that BAR1 is in the third.
    Raises ValueError.
    """
    lines = [line.split() for line in text.splitlines()[:3]]
    if len(lines) < 3 or any(len(line) != 3 for line in lines):
        raise ValueError("not a resource table")
    slots = [_Slot(*(int(word[:18], 16) for word in line)) for line in lines]
    second = slots[1] if slots[1].flags else slots[2]
    return slots[0].size, second.size


class _Slot(Struct, frozen=True):
    start: int
    end: int
    flags: int

    @property
    def size(self) -> int:
        """0 at address 0: the kernel leaves a BAR there for which it found no space."""
        length = self.end - self.start + 1
        return length if self.start and 0 < length < _MAX_ADDRESS else 0


def link_speed_gts(text: str) -> float | None:
    """GT/s of "16.0 GT/s PCIe"; None for "Unknown". Raises ValueError."""
    match = _SPEED.match(text)
    if match:
        return float(match.group(1))
    if text.lower().startswith("unknown"):
        return None
    raise ValueError("not a link speed")


def link_width(text: str) -> int | None:
    """Lanes; None where the link is down or does not tell (0, 63, 255). Raises ValueError."""
    lanes = integer(text)
    return lanes if lanes in _WIDTHS else None


def aer_total(text: str, name: str) -> int:
    """The TOTAL_ERR_... line of an error counter file. Raises ValueError."""
    for line in text.splitlines():
        key, _, count = line.partition(" ")
        if key == name:
            return integer(count)
    raise ValueError(f"no {name}")
