"""Kernel, parameters, system."""

from __future__ import annotations

from gpudoctor.readers.documents.uname import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_all_of_it() -> None:
    facts = read(sample("uname"), DOCUMENT)
    assert (facts.machine.kernel.value, facts.machine.architecture.value) == ("5.15.0-105-generic", "x86_64")
    assert facts.machine.cmdline.value == "iommu=pt"  # and neither disk nor label
    assert facts.machine.os.value == "Ubuntu 22.04.4 LTS"
    assert (facts.driver.module_version.value, facts.driver.module_open.value) == ("580.95.05", True)
    assert facts.virtualization.wsl.value == 0


def test_wsl() -> None:
    line = "Linux DESK 5.15.133.1-microsoft-standard-WSL2 #1 SMP Thu Oct 5 21:02:42 UTC 2023 x86_64 GNU/Linux"
    assert read(line, DOCUMENT).virtualization.wsl.value == 2
    old = "Linux version 4.4.0-19041-Microsoft (gcc) #1237-Microsoft Sat Sep 11 14:32:00 PST 2021"
    assert read(old, DOCUMENT).virtualization.wsl.value == 1


def test_grub() -> None:
    line = 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash intel_iommu=on iommu=pt"'
    assert read(line, DOCUMENT).machine.cmdline.value == "intel_iommu=on iommu=pt"


def test_no_name_of_the_machine_is_kept() -> None:
    assert "gpu7" not in repr(read(sample("uname"), DOCUMENT))


def test_sentences_are_left() -> None:
    assert not found(["Linux is what we run", "I use Linux 5.15 here", "BOOT_IMAGE="], DOCUMENT)
