"""dmesg and journals in pastes."""

from __future__ import annotations

from gpudoctor.readers.documents.kernel_log import DOCUMENT
from tests.readers.documents.reading import LOG, found, read, sample


def test_a_whole_log() -> None:
    facts = read(sample("kernel_log"), DOCUMENT)
    log = facts.kernel_log
    assert [(xid.code, xid.pci_bus_id) for xid in log.xids.or_none() or ()] == [(79, "0000:9b:00.0")]
    assert (log.aer_devices.value, log.oom_kills.value) == (("0000:9b:00.0",), ("python3",))
    assert (log.iommu_faults.value, log.iommu_default_domain.value) == (1, "Translated")
    assert facts.machine.cmdline.value == "iommu=pt amd_iommu=on"


def test_what_an_excerpt_does_not_hold_is_not_denied() -> None:
    log = read(sample("kernel_log")[3:4], DOCUMENT).kernel_log
    assert log.xids.known
    assert not log.iommu_faults.known
    assert not log.oom_kills.known


def test_lines_apart_are_one_log() -> None:
    mixed = [line for pair in zip(sample("kernel_log"), LOG, strict=False) for line in pair]
    (block,) = found(mixed, DOCUMENT)
    assert DOCUMENT.read(block.lines) == DOCUMENT.read(sample("kernel_log"))


def test_journal_lines() -> None:
    text = "Nov 02 10:00:00 host7 kernel: NVRM: Xid (PCI:0000:41:00): 31, pid=99, name=python, MMU Fault"
    (xid,) = read(text, DOCUMENT).kernel_log.xids.or_none() or ()
    assert (xid.code, xid.pci_bus_id) == (31, "0000:41:00.0")
