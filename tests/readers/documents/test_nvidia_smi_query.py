"""`nvidia-smi --query-gpu`, with and without a header."""

from __future__ import annotations

from gpudoctor.readers.documents.nvidia_smi_query import DOCUMENT
from tests.readers.documents.reading import found, gpus, read, sample


def test_a_table_with_its_header() -> None:
    facts = read(sample("nvidia_smi_query"), DOCUMENT)
    assert [gpu.pcie_width.value for gpu in gpus(facts)] == [16, 4]
    assert gpus(facts)[1].pci_bus_id.value == "0000:c1:00.0"
    assert facts.driver.module_version.value == "550.90.07"


def test_without_a_header_the_command_names_the_columns() -> None:
    facts = read(sample("nvidia_smi_query.noheader"), DOCUMENT)
    assert [gpu.name.value for gpu in gpus(facts)] == ["NVIDIA B200", "NVIDIA B200"]
    assert gpus(facts)[0].memory_used_bytes.value == 0


def test_a_row_that_does_not_fit_ends_the_table() -> None:
    lines = [*sample("nvidia_smi_query")[:2], "1, NVIDIA GeForce RTX 4090, 000"]
    facts = read(lines, DOCUMENT)
    assert [gpu.index for gpu in gpus(facts)] == [0]


def test_rows_without_any_header_are_nobodys() -> None:
    assert not found(["0, NVIDIA B200, 580.126.20, 0 MiB"], DOCUMENT)


def test_a_command_without_an_answer_says_nothing() -> None:
    assert not gpus(read("nvidia-smi --query-gpu=index,name --format=csv,noheader\nbash: foo", DOCUMENT))


def test_the_command_line_above_a_header_is_no_header() -> None:
    text = (
        "$ nvidia-smi --query-gpu=index,pcie.link.width.current,pcie.link.width.max --format=csv\n"
        "index, pcie.link.width.current, pcie.link.width.max\n0, 16, 16\n1, 4, 16\n"
    )
    assert [gpu.pcie_width.value for gpu in gpus(read(text, DOCUMENT))] == [16, 4]


def test_the_driver_alone() -> None:
    command = "$ nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -1"
    facts = read([command, "550.54.15"], DOCUMENT)
    assert facts.nvidia_smi.driver_version.value == "550.54.15"
    assert not facts.nvidia_smi.gpus.known
