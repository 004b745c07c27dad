"""`nvidia-smi -q -x`."""

from __future__ import annotations

from gpudoctor.readers.documents.nvidia_smi_xml import DOCUMENT
from tests.readers.documents.reading import gpus, read, sample


def test_the_same_facts_as_from_the_text() -> None:
    facts = read(sample("nvidia_smi_xml"), DOCUMENT)
    (gpu,) = gpus(facts)
    assert (facts.nvidia_smi.driver_version.value, facts.nvidia_smi.cuda_driver_version.value) == ("550.54.15", "12.4")
    assert (gpu.name.value, gpu.pci_bus_id.value, gpu.pci_device_id.value) == (
        "NVIDIA H100 80GB HBM3",
        "0000:18:00.0",
        "2330",
    )
    assert (gpu.mig_enabled.value, gpu.mig_pending.value) == (False, True)
    assert (gpu.pcie_generation.value, gpu.pcie_width_max.value) == (1, 16)
    assert gpu.clock_event_reasons.value == ("gpu_idle", "hw_power_brake")
    assert gpu.ecc_uncorrected_volatile.value == 3
    assert gpu.fabric_state.value == "completed"


def test_a_report_that_was_cut_in_the_middle_of_a_tag() -> None:
    text = "\n".join(sample("nvidia_smi_xml"))
    facts = read(text[: text.index("<fb_memory_usage>") + 10], DOCUMENT)
    assert gpus(facts)[0].persistence.value is True


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    text = f'<nvidia_smi_log>\n{bomb}\n<gpu id="00000000:18:00.0">\n<product_name>&b;</product_name>\n</gpu>'
    assert gpus(read(text, DOCUMENT))[0].name.value == "&b;"
