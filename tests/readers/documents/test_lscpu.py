"""`lscpu` and /proc/cpuinfo."""

from __future__ import annotations

from gpudoctor.readers.documents.lscpu import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_a_whole_listing() -> None:
    facts = read(sample("lscpu"), DOCUMENT)
    machine = facts.machine
    assert (machine.cpu_vendor.value, machine.cpu_model.value) == ("amd", "AMD EPYC 7713 64-Core Processor")
    assert (machine.cpus.value, machine.sockets.value, machine.numa_nodes.value) == (128, 2, 8)
    assert facts.virtualization.vm.value == "kvm"


def test_bare_metal_is_said_by_a_whole_listing_only() -> None:
    whole = [line for line in sample("lscpu") if "irtual" not in line and "Hyper" not in line]
    assert read(whole, DOCUMENT).virtualization.vm.value == "none"
    assert not read(whole[:3], DOCUMENT).virtualization.vm.known


def test_the_model_alone_tells_the_vendor() -> None:
    assert read("Model name:  Intel(R) Xeon(R) Platinum 8480+", DOCUMENT).machine.cpu_vendor.value == "intel"


def test_cpuinfo() -> None:
    text = "vendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R)\nphysical id\t: 0\nphysical id\t: 1\n"
    machine = read(text, DOCUMENT).machine
    assert (machine.cpu_vendor.value, machine.sockets.value) == ("intel", 2)
