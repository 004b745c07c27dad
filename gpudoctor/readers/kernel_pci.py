"""What the kernel log says about the PCI bus: AER reports, BARs without space, faults of the IOMMU."""

from __future__ import annotations

from msgspec import Struct, field

from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.readers.bus_id import bus_id

_BDF = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
# The device that found the error. "AER: ... received: 0000:00:00.0" before it names what the root port was told, which
# is often nobody.
_AER = lazy_pattern(rf"\b({_BDF}): (?:(?:AER: )?PCIe Bus Error: severity=|AER: aer_status)")
# "0000:01:00.0: BAR 1: no space for [mem size 0x10000000 64bit pref]", since 6.8 with the range before the verdict.
_BAR = lazy_pattern(rf"\b({_BDF}): BAR ([0-5])(?: \[mem [^\]]{{1,60}}\])?: (.{{1,80}})")
_BAR_REFUSED = lazy_pattern(r"no space|can't assign|failed to assign|can't claim")
_BAR_NVRM = lazy_pattern(r"BAR\d is 0M @ .{1,60}")
_IDENTITY = lazy_pattern(rf"\bpci ({_BDF}): \[([0-9a-f]{{4}}):[0-9a-f]{{4}}\] type")
_NVIDIA = "10de"
_FAULT = lazy_pattern(
    r"\bIO_PAGE_FAULT\b|DMAR: \[[^\]]{1,40}\] Request device \[|arm-smmu-v3 .{1,60}: event 0x1\d received"
)
_FAULT_DEVICE = lazy_pattern(
    rf"(?:device=|Request device \[)([0-9a-fx]{{2,8}}(?::[0-9a-fx]{{2,4}}){{1,2}}\.[0-7])|\b({_BDF}): AMD-Vi:"
)
_DOMAIN = lazy_pattern(r"iommu: Default domain type: (Translated|Passthrough)")
_MAX_DEVICES = 64
_MAX_TEXT = 200


class PciReader(Struct):
    """Takes lines in order."""

    faults: int = 0
    default_domain: str = ""
    _aer: dict[str, None] = field(default_factory=dict)
    _bars: dict[tuple[str, str], str] = field(default_factory=dict)
    _vendors: dict[str, str] = field(default_factory=dict)
    _fault_devices: dict[str, None] = field(default_factory=dict)

    def line(self, text: str) -> bool:
        """Whether the line was one of these."""
        return self._error(text) or self._bar(text) or self._iommu(text)

    @property
    def aer_devices(self) -> tuple[str, ...]:
        """Bus ids that reported errors of their link."""
        return tuple(self._aer)

    @property
    def bar_failures(self) -> tuple[str, ...]:
        """Those that no later attempt of the kernel undid, without other vendors' devices."""
        return tuple(text for (device, _), text in self._bars.items() if self._vendors.get(device, _NVIDIA) == _NVIDIA)

    @property
    def fault_devices(self) -> tuple[str, ...]:
        """Bus ids whose accesses the IOMMU refused."""
        return tuple(self._fault_devices)

    def _error(self, text: str) -> bool:
        match = _AER.search(text)
        if match is not None and len(self._aer) < _MAX_DEVICES:
            self._aer[match.group(1)] = None
        return match is not None

    def _bar(self, text: str) -> bool:
        identity = _IDENTITY.search(text)
        if identity is not None:
            if len(self._vendors) < 4096:
                self._vendors[identity.group(1)] = identity.group(2)
            return True
        by_driver = _BAR_NVRM.search(text)
        if by_driver is not None:
            self._refused(("", by_driver.group()), by_driver.group())
            return True
        match = _BAR.search(text)
        if match is None:
            return False
        device, number, verdict = match.groups()
        if "assigned" in verdict:
            self._bars.pop((device, number), None)
        elif _BAR_REFUSED.search(verdict) and "[mem" in match.group():
            self._refused((device, number), match.group())
        return True

    def _refused(self, key: tuple[str, str], text: str) -> None:
        if len(self._bars) < _MAX_DEVICES:
            self._bars.setdefault(key, text[:_MAX_TEXT])

    def _iommu(self, text: str) -> bool:
        domain = _DOMAIN.search(text)
        if domain is not None:
            self.default_domain = domain.group(1)
            return True
        if not _FAULT.search(text):
            return False
        self.faults += 1
        match = _FAULT_DEVICE.search(text)
        device = bus_id(match.group(1) or match.group(2)) if match is not None else ""
        if device and len(self._fault_devices) < _MAX_DEVICES:
            self._fault_devices[device] = None
        return True
