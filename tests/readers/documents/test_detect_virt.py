"""The hypervisor by the machine's own words."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.detect_virt import DOCUMENT
from tests.readers.documents.reading import found, read


@pytest.mark.parametrize(
    ("lines", "vm"),
    [
        (["$ systemd-detect-virt", "kvm"], "kvm"),
        (["root@node:~# systemd-detect-virt", "none"], "none"),
        (["systemd-detect-virt: amazon"], "aws"),
        (["[    0.1] Hypervisor detected: Microsoft Hyper-V"], "hyperv"),
        (["[    0.0] DMI: Amazon EC2 p4d.24xlarge/, BIOS 1.0 10/16/2017"], "aws"),
    ],
)
def test_the_answer_in_our_words(lines: list[str], vm: str) -> None:
    assert read(lines, DOCUMENT).virtualization.vm.value == vm


@pytest.mark.parametrize("line", ["kvm", "[    0.0] DMI: Supermicro AS -4124GS-TNR/H12DSG-O-CPU, BIOS 2.3"])
def test_other_lines_are_left(line: str) -> None:
    assert not found([line], DOCUMENT)
