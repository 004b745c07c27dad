"""The table of nvidia-smi, in the layouts of several years."""

from __future__ import annotations

from gpudoctor.readers.documents.nvidia_smi import DOCUMENT
from tests.readers.documents.reading import LOG, gpus, read, sample

MIB = 1 << 20


def test_a_table_of_today() -> None:
    facts = read(sample("nvidia_smi"), DOCUMENT)
    first, second = gpus(facts)
    assert facts.nvidia_smi.driver_version.value == facts.driver.module_version.value == "550.90.07"
    assert facts.nvml.cuda_driver_version.value == "12.4"
    assert (first.name.value, first.pci_bus_id.value) == ("NVIDIA GeForce RTX 4090", "0000:01:00.0")
    assert (first.memory_used_bytes.value, first.memory_total_bytes.value) == (2 * MIB, 24564 * MIB)
    assert (first.persistence.value, first.compute_mode.value, first.ecc_enabled.value) == (False, "default", False)
    assert (first.temperature_c.value, first.power_limit_mw.value, first.utilization_percent.value) == (34, 450_000, 0)
    assert (second.compute_mode.value, second.ecc_uncorrected_volatile.value) == ("exclusive_process", 0)
    assert facts.nvidia_smi.gpus_partial.value is False


def test_mig() -> None:
    _, second = gpus(read(sample("nvidia_smi"), DOCUMENT))
    assert (second.mig_enabled.value, second.mig_pending.value, second.mig_devices.value) == (True, False, 1)


def test_a_table_of_2018_with_names_cut_by_the_column() -> None:
    facts = read(sample("nvidia_smi.2018"), DOCUMENT)
    first, second = gpus(facts)
    assert first.name.value == "NVIDIA GeForce RTX 2080 Ti"  # by its memory
    assert (second.name.value, second.pci_bus_id.value) == ("Tesla K80", "0000:00:1e.0")
    assert facts.nvidia_smi.driver_version.value == "390.30"
    assert not facts.nvidia_smi.cuda_driver_version.known


def test_a_cut_name_that_fits_several_models_stays_as_it_is() -> None:
    row = "|   0  NVIDIA GeForce ...  Off  | 00000000:1A:00.0 Off |                  N/A |\n"
    (gpu,) = gpus(
        read(row + "| 30%   33C    P8     1W / 350W |     11MiB / 24576MiB |      0%      Default |", DOCUMENT)
    )
    assert gpu.name.value == "NVIDIA GeForce"


def test_a_table_without_its_end_may_lack_gpus() -> None:
    facts = read(sample("nvidia_smi")[:13], DOCUMENT)
    assert len(gpus(facts)) == 2
    assert facts.nvidia_smi.gpus_partial.value is True


def test_a_table_without_its_head() -> None:
    facts = read(sample("nvidia_smi")[8:], DOCUMENT)
    assert [gpu.index for gpu in gpus(facts)] == [0, 1]
    assert not facts.nvidia_smi.driver_version.known


def test_the_first_card_is_cut_off() -> None:
    facts = read(sample("nvidia_smi")[11:], DOCUMENT)
    assert [gpu.index for gpu in gpus(facts)] == [1]
    assert facts.nvidia_smi.gpus_partial.value is True


def test_the_banner_since_driver_610_and_banners_in_notes() -> None:
    new = "| NVIDIA-SMI 610.43.02    KMD Version: 610.43.02    CUDA UMD Version: 13.3 |"
    assert read(new, DOCUMENT).nvidia_smi.cuda_driver_version.value == "13.3"
    note = read("NVIDIA-SMI 570.172.08, CUDA 12.8", DOCUMENT).nvidia_smi
    assert (note.driver_version.value, note.cuda_driver_version.value) == ("570.172.08", "12.8")


def test_of_two_tables_the_first_counts() -> None:
    facts = read([*sample("nvidia_smi"), *sample("nvidia_smi.2018")], DOCUMENT)
    assert facts == read(sample("nvidia_smi"), DOCUMENT)
    assert len(gpus(read([*sample("nvidia_smi.2018")[:9], *sample("nvidia_smi")], DOCUMENT))) == 1


def test_lines_of_a_log_between_the_rows() -> None:
    mixed = [line for row in sample("nvidia_smi") for line in (row, *LOG[:3])]
    assert read(mixed, DOCUMENT) == read(sample("nvidia_smi"), DOCUMENT)


def test_whose_processes_they_are_cannot_be_told() -> None:
    assert not any(gpu.processes.known for gpu in gpus(read(sample("nvidia_smi"), DOCUMENT)))
