"""dmesg and journalctl: what the kernel says of GPUs, the PCI bus, memory and the IOMMU, wherever its lines stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import fields, replace

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, KernelLog, Machine
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import MAX_LINE
from gpudoctor.readers.kernel_cmdline import relevant_parameters
from gpudoctor.readers.kernel_messages import read_kernel_log

SOURCE = "kernel log"

_LINE = re.compile(
    r"NVRM: |SXid \(|PCIe Bus Error: severity|AER: (?:Corrected|Uncorrect|Multiple|aer_)|Killed process \d"
    r"|blocked for more than \d|: BAR \d.{0,80}(?:no space|can't|failed to assign|can't claim)|IO_PAGE_FAULT"
    r"|Request device \[|arm-smmu-v3 .{1,60}: event 0x1|Default domain type: |fallen off the bus"
    r"|nvidia: (?:version magic|disagrees|Unknown symbol|loading out-of-tree)|is rejected|unsigned module"
    r"|nvidia-nvswitch|Command line: \S{0,40}BOOT_IMAGE|DMAR: IOMMU enabled|AMD-Vi: "
)
_CMDLINE = re.compile(r"Command line: (.{1,800})")
_MAX_LINES = 20_000


def _begins(line: str) -> bool:
    return _LINE.search(line, 0, MAX_LINE) is not None


def _read(lines: Sequence[str]) -> Facts:
    facts = Facts(kernel_log=_said(read_kernel_log("\n".join(line[:MAX_LINE] for line in lines), SOURCE)))
    match = next((found for line in lines if (found := _CMDLINE.search(line[:MAX_LINE]))), None)
    if match is None:
        return facts
    return replace(facts, machine=Machine(cmdline=known(relevant_parameters(match.group(1)), SOURCE)))


def _said(log: KernelLog) -> KernelLog:
    """Without what an excerpt does not say: that a thing is not in it proves nothing."""
    empty = {field.name: NOT_PROVIDED for field in fields(log) if not getattr(log, field.name).or_none()}
    return replace(log, **empty)


DOCUMENT = Document(
    name=SOURCE,
    literals=(
        "NVRM", "SXid", "PCIe Bus Error", "AER:", "Killed process", "blocked for more than", ": BAR ", "IO_PAGE_FAULT",
        "Request device", "arm-smmu", "Default domain type", "fallen off the bus", "nvidia: ", "is rejected",
        "unsigned module", "nvidia-nvswitch", "Command line: ", "IOMMU enabled", "AMD-Vi",
    ),
    begins=_begins,
    read=_read,
    max_lines=_MAX_LINES,
    scattered=True,
)  # fmt: skip
