"""`nvidia-smi -q`."""

from __future__ import annotations

from gpudoctor.readers.documents.nvidia_smi_q import DOCUMENT
from tests.readers.documents.reading import gpus, read, sample


def test_a_whole_report() -> None:
    facts = read(sample("nvidia_smi_q"), DOCUMENT)
    first, second = gpus(facts)
    assert (facts.nvidia_smi.driver_version.value, facts.nvidia_smi.cuda_driver_version.value) == ("550.54.15", "12.4")
    assert (first.pci_bus_id.value, first.pci_device_id.value, second.pci_bus_id.value) == (
        "0000:18:00.0",
        "2330",
        "0000:2a:00.0",
    )
    assert (first.pcie_generation_max.value, first.pcie_width.value, first.pcie_width_max.value) == (5, 8, 16)
    assert (first.bar1_total_bytes.value, first.memory_reserved_bytes.value) == (131072 << 20, 551 << 20)
    assert (first.mig_enabled.value, first.mig_pending.value) == (False, True)
    assert (first.ecc_uncorrected_volatile.value, first.ecc_corrected_volatile.value) == (2, 1)
    assert (first.remap_pending.value, first.remap_failed.value) == (True, False)
    assert first.clock_event_reasons.value == ("gpu_idle", "hw_power_brake")
    assert (first.fabric_state.value, first.fabric_status.value) == ("completed", "OK")
    assert facts.nvidia_smi.gpus_partial.value is False


def test_a_report_that_ends_early_may_lack_gpus() -> None:
    lines = [line for line in sample("nvidia_smi_q") if "2A:00.0" not in line]
    facts = read(lines, DOCUMENT)
    assert len(gpus(facts)) == 1
    assert facts.nvidia_smi.gpus_partial.value is True


def test_sections_that_a_grep_left_are_counted() -> None:
    text = "    Fabric\n        State     : In Progress\n        Status    : N/A\n" * 3
    listed = gpus(read(text, DOCUMENT))
    assert [gpu.fabric_state.value for gpu in listed] == ["in_progress"] * 3
    assert not listed[0].fabric_status.known


def test_lost_indents_still_give_the_sections() -> None:
    facts = read([line.lstrip() for line in sample("nvidia_smi_q")], DOCUMENT)
    assert gpus(facts)[0].fabric_state.value == "completed"
    assert gpus(facts)[0].bar1_total_bytes.value == 131072 << 20


def test_values_that_are_none() -> None:
    text = "GPU 00000000:18:00.0\n    FB Memory Usage\n        Total : [N/A]\n    Compute Mode : Prohibited\n"
    (gpu,) = gpus(read(text, DOCUMENT))
    assert not gpu.memory_total_bytes.known
    assert gpu.compute_mode.value == "prohibited"
