"""A GPU that shares the CPU's memory has the machine's, and no PCIe link to judge."""

from __future__ import annotations

from gpudoctor.derive import derive
from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import Facts, Gpu, HostMemory, Nvml

MEMORY = HostMemory(total_bytes=known(120 << 30, "meminfo"), available_bytes=known(100 << 30, "meminfo"))


def derived(name: str) -> Gpu:
    gpu = Gpu(
        index=0,
        name=known(name, "nvml"),
        memory_total_bytes=absent("not_supported", "", "nvml"),
        memory_free_bytes=absent("not_supported", "", "nvml"),
        pcie_width=known(1, "nvml"),
        pcie_width_max=known(16, "nvml"),
    )
    facts = derive(Facts(nvml=Nvml(count=known(1, "nvml"), devices=known((gpu,), "nvml")), memory=MEMORY))
    (found,) = facts.gpus.devices.or_none() or ()
    return found


def test_a_gb10_has_the_memory_of_the_machine_and_no_link() -> None:
    found = derived("NVIDIA GB10")
    assert (found.memory_total_bytes.or_none(), found.memory_free_bytes.or_none()) == (120 << 30, 100 << 30)
    assert (found.pcie_width.absent, found.pcie_width_max.absent) == ("not_applicable", "not_applicable")


def test_a_card_keeps_what_its_driver_says() -> None:
    found = derived("NVIDIA L40S")
    assert found.memory_total_bytes.absent == "not_supported"
    assert (found.pcie_width.or_none(), found.pcie_width_max.or_none()) == (1, 16)
