"""The kernel log, from dmesg, journalctl or a pasted text, whatever stands before the messages."""

from __future__ import annotations

import re

from msgspec import Struct, field

from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import KernelLog
from gpudoctor.readers.kernel_pci import PciReader
from gpudoctor.readers.kernel_xids import XidReader

# Whatever none of these words is in is passed over; the log of a long-running server has 100,000 other lines.
_INTERESTING = lazy_pattern(
    r"NVRM|SXid|PCIe Bus Error|AER:|Killed process|blocked for more than|: BAR \d|: \[[0-9a-f]{4}:[0-9a-f]{4}\] type"
    r"|IO_PAGE_FAULT|Request device|arm-smmu|Default domain type|fallen off|nvidia: |is rejected|unsigned module"
)
_KILLED = lazy_pattern(r"Killed process \d{1,10} \((.{1,64}?)\)")
_HUNG = lazy_pattern(r"INFO: task (.{1,64}?):\d{1,10} blocked for more than")
_REJECTED = lazy_pattern(r"Loading of .{0,60}module.{0,60} is rejected|unsigned module loading is restricted")
_MODULE_TROUBLE = lazy_pattern(r"\bnvidia: (?:version magic|disagrees about version|Unknown symbol).{0,160}")
_NVRM = lazy_pattern(r"NVRM: .{1,240}")
_TROUBLE = lazy_pattern(
    r"fail|error|assert|invalid|mismatch|fallen|not called|no nvidia|time[d ]*out|cannot|can't|unable|reset required"
    r"|not supported|is lost|\bbad\b",
    re.IGNORECASE,
)
# The first and the second tell one card from all others; the third is the driver's greeting.
_LEFT_OUT = ("Board Serial Number", "GPU at PCI:", "NVRM: loading ")
_NUMBERS = lazy_pattern(r"0x[0-9a-fA-F]+|\d+")
_MAX_LINES = 200_000
_MAX_LINE = 1000
_MAX_NAMES = 50
_MAX_NVRM_LINES = 40


def read_kernel_log(text: str, source: str, uptime_s: float | None = None) -> KernelLog:
    """The newest 200,000 lines of a kernel log.

    `source` is where it came from: dmesg, journalctl, a file's name. `uptime_s` is how long ago the machine was booted
    when it was printed, None where nobody knows: it tells how old an event is.
    """
    reader = _Reader(XidReader(uptime_s))
    for line in text.splitlines()[-_MAX_LINES:]:
        if _INTERESTING.search(line, 0, _MAX_LINE):
            reader.line(line[:_MAX_LINE])
    return reader.section(source)


class _Reader(Struct):
    xids: XidReader = field(default_factory=XidReader)
    pci: PciReader = field(default_factory=PciReader)
    killed: dict[str, None] = field(default_factory=dict)
    hung: dict[str, None] = field(default_factory=dict)
    nvrm: dict[str, str] = field(default_factory=dict)  # by the text without its numbers
    api_mismatch: bool = False
    rejected: bool = False

    def line(self, text: str) -> None:
        """Each line belongs to one kind."""
        if self.xids.line(text) or self.pci.line(text) or self._processes(text):
            return
        if _REJECTED.search(text):
            self.rejected = True
            return
        self._module(text)

    def _processes(self, text: str) -> bool:
        for pattern, names in ((_KILLED, self.killed), (_HUNG, self.hung)):
            match = pattern.search(text)
            if match is not None:
                if len(names) < _MAX_NAMES:
                    names[match.group(1)] = None
                return True
        return False

    def _module(self, text: str) -> None:
        """Errors of the driver; one of those that differ only in numbers is enough."""
        match = _NVRM.search(text)
        if match is not None and (any(word in text for word in _LEFT_OUT) or not _TROUBLE.search(match.group())):
            return
        match = match or _MODULE_TROUBLE.search(text)
        if match is None:
            return
        self.api_mismatch |= "API mismatch" in match.group()
        if len(self.nvrm) < _MAX_NVRM_LINES:
            self.nvrm.setdefault(_NUMBERS.sub("#", match.group()), match.group())

    def section(self, source: str) -> KernelLog:
        """Everything that was found; nothing found is an answer."""
        domain: Fact[str] = absent("not_provided", "the log does not say", source)
        if self.pci.default_domain:
            domain = known(self.pci.default_domain, source)
        return KernelLog(
            source=known(source, source),
            xids=known(self.xids.events, source),
            aer_devices=known(self.pci.aer_devices, source),
            oom_kills=known(tuple(self.killed), source),
            nvrm_lines=known(tuple(self.nvrm.values()), source),
            bar_failures=known(self.pci.bar_failures, source),
            iommu_faults=known(self.pci.faults, source),
            iommu_fault_devices=known(self.pci.fault_devices, source),
            iommu_default_domain=domain,
            fell_off_bus=known(self.xids.fallen, source),
            api_mismatch=known(self.api_mismatch, source),
            module_rejected=known(self.rejected, source),
            hung_tasks=known(tuple(self.hung), source),
        )
