"""The first processor of /proc/cpuinfo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.cpuinfo import first_processor, socket_count

X86 = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8480C
physical id\t: 0
flags\t\t: fpu vme hypervisor

processor\t: 1
vendor_id\t: AuthenticAMD
physical id\t: 1
"""
GRACE = """processor\t: 0
BogoMIPS\t: 2000.00
Features\t: fp asimd
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd4f
"""


def test_only_the_first_block_counts() -> None:
    cpu = first_processor(X86)

    assert (cpu.vendor, cpu.model) == ("intel", "Intel(R) Xeon(R) Platinum 8480C")
    assert "hypervisor" in cpu.flags


def test_arm_cores_are_named_by_their_numbers() -> None:
    assert (first_processor(GRACE).vendor, first_processor(GRACE).model) == ("arm", "Neoverse-V2")
    assert first_processor(GRACE.replace("0xd4f", "zz")).model == ""


@pytest.mark.parametrize(
    ("vendor", "expected"), [("AuthenticAMD", "amd"), ("HygonGenuine", "amd"), ("CentaurHauls", "other")]
)
def test_vendors(vendor: str, expected: str) -> None:
    assert first_processor(X86.replace("GenuineIntel", vendor)).vendor == expected


def test_sockets_are_distinct_physical_ids() -> None:
    assert socket_count(X86) == 2
    with pytest.raises(ValueError, match="physical id"):
        socket_count(GRACE)


@given(st.text(max_size=300))
def test_no_text_crashes_it(text: str) -> None:
    try:
        cpu = first_processor(text)
    except ValueError:
        return
    assert cpu.vendor in {"intel", "amd", "arm", "other"}
