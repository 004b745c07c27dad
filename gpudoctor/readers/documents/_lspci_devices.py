"""Devices of an `lspci` listing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

HEADER = re.compile(
    r"((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]) "
    r"([A-Z][\w /+-]{2,60}?)(?: \[([0-9a-f]{4})\])?: (.{3,300})"
)
_ID = re.compile(r"\[([0-9a-f]{4}):([0-9a-f]{4})\]")
_MODEL = re.compile(r"\[([A-Z][\w .+/-]{1,60})\]")
_BUS = re.compile(r"Bus: primary=([0-9a-f]{2}), secondary=([0-9a-f]{2}), subordinate=([0-9a-f]{2})")
_REGION = re.compile(
    r"Region (\d): Memory at (\S{1,40}) \((?:64|32)-bit, [^)]{1,40}\)(?: \[[a-z]{1,12}\])* ?(?:\[size=(\w{1,10})\])?"
)
_SPEED = re.compile(r"Speed (\d{1,2}(?:\.\d)?)GT/s")
_WIDTH = re.compile(r"Width x(\d{1,2})")
_NUMA = re.compile(r"NUMA node: (\d{1,3})\b")
_GROUP = re.compile(r"IOMMU group: (\d{1,5})\b")
_DRIVER = re.compile(r"Kernel driver in use: ([\w-]{1,40})")
_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}
_MAX_DEVICES = 4096


class Device(Struct):
    """One device. Numbers are None where the listing does not say."""

    address: str  # 0000:41:00.0
    kind: str
    text: str
    vendor_id: str = ""
    device_id: str = ""
    primary: str = ""
    secondary: str = ""  # the bus below a bridge
    bars: dict[int, int] | None = None  # sizes by number; 0: not assigned
    width: int | None = None
    width_max: int | None = None
    speed: float | None = None
    speed_max: float | None = None
    numa: int | None = None
    group: str = ""
    driver: str | None = None
    redirects: bool | None = None
    verbose: bool = False
    denied: bool = False

    @property
    def is_nvidia(self) -> bool:
        """By id, where it is shown."""
        return self.vendor_id == "10de" or "NVIDIA" in self.text[:40]

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU of NVIDIA's."""
        return self.is_nvidia and self.kind in ("VGA compatible controller", "3D controller", "Display controller")

    @property
    def is_nvswitch(self) -> bool:
        """Whether it is an NVSwitch, which lists as a bridge."""
        return self.is_nvidia and self.kind == "Bridge" and ("NVSwitch" in self.text or "NVSW" in self.text)

    @property
    def bus(self) -> str:
        """Domain and bus: 0000:41."""
        return self.address.rsplit(":", 1)[0]

    @property
    def model(self) -> str:
        """The name in brackets: GeForce RTX 3090."""
        match = _MODEL.search(self.text)
        return match.group(1) if match else ""


def read_devices(lines: Iterable[str]) -> list[Device]:
    """In the order of the listing."""
    devices: list[Device] = []
    for line in lines:
        match = HEADER.match(line.strip())
        if match is not None and len(devices) < _MAX_DEVICES:
            devices.append(_device(match))
        elif devices and line[:1] in (" ", "\t"):
            _detail(devices[-1], line.strip())
    return devices


def _device(match: re.Match[str]) -> Device:
    address, kind, _, text = match.groups()
    ids = _ID.search(text)
    address = address if address.count(":") == 2 else f"0000:{address}"
    vendor, device = ids.groups() if ids else ("", "")
    return Device(address=address, kind=kind, text=text, vendor_id=vendor, device_id=device)


def _detail(device: Device, text: str) -> None:
    device.verbose = True
    if text.startswith("Bus: ") and (bus := _BUS.match(text)):
        device.primary, device.secondary = bus.group(1), bus.group(2)
    elif text.startswith("Region ") and (region := _REGION.match(text)):
        device.bars = device.bars or {}
        device.bars[int(region.group(1))] = _size(region.group(2), region.group(3))
    elif text.startswith(("LnkCap:", "LnkSta:")):
        _link(device, text)
    elif text.startswith("ACSCtl:"):
        device.redirects = "ReqRedir+" in text or "CmpltRedir+" in text
    else:
        _other(device, text)


def _link(device: Device, text: str) -> None:
    speed, width = _SPEED.search(text), _WIDTH.search(text)
    gts = float(speed.group(1)) if speed else None
    lanes = int(width.group(1)) or None if width else None
    if text.startswith("LnkCap:"):
        device.speed_max, device.width_max = gts, lanes
    else:
        device.speed, device.width = gts, lanes


def _other(device: Device, text: str) -> None:
    if numa := _NUMA.search(text):
        device.numa = int(numa.group(1))
    if group := _GROUP.search(text):
        device.group = group.group(1)
    if driver := _DRIVER.match(text):
        device.driver = driver.group(1)
    if "<access denied>" in text:
        device.denied = True


def _size(where: str, size: str | None) -> int:
    """0 where the kernel found no space."""
    if size is None or where.startswith("<"):
        return 0
    number, unit = size[:-1], size[-1]
    return int(number) << _UNITS.get(unit, 0) if number.isdigit() and unit in _UNITS else 0
