"""`nvidia-smi --query-gpu` as it is printed and pasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.readers.nvidia_smi_query import Query, query_fields, read_query

HEADER = "index, name, uuid, pci.bus_id, driver_version, memory.total [MiB], power.draw [W], mig.mode.current\n"
ROWS = (
    "0, NVIDIA L40S, GPU-6d1f, 00000000:17:00.0, 550.54.15, 46068 MiB, 33.91 W, [N/A]\n"
    "1, NVIDIA L40S, GPU-7e2a, 00000000:CA:00.0, 550.54.15, 46068 MiB, 28.00 W, Disabled\n"
)


def read(text: str) -> Query:
    found = read_query(text)
    assert found is not None
    return found


def test_a_row_is_a_gpu_with_units_turned_into_ours() -> None:
    found = read(HEADER + ROWS)
    first, second = found.gpus
    assert (first.index, first.name.value, first.uuid.value) == (0, "NVIDIA L40S", "GPU-6d1f")
    assert first.memory_total_bytes.value == 46068 << 20
    assert first.power_draw_mw.value == 33910
    assert second.pci_bus_id.value == "0000:ca:00.0"
    assert second.mig_enabled.value is False
    assert first.mig_enabled.absent == "not_supported"
    assert found.driver_version == "550.54.15"
    assert (found.rejected_rows, found.line) == ((), 1)


def test_without_units_numbers_mean_the_same() -> None:
    plain = (HEADER + ROWS).replace(" [MiB]", "").replace(" [W]", "").replace(" MiB", "").replace(" W,", ",")
    assert read(plain).gpus == read(HEADER + ROWS).gpus


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("[N/A]", "not_supported"),
        ("N/A", "not_supported"),
        ("[Not Supported]", "not_supported"),
        ("[Insufficient Permissions]", "no_permission"),
        ("[GPU requires reset]", "failed"),
        ("[GPU is lost]", "failed"),
        ("ERR!", "failed"),
        ("[Unknown Error]", "failed"),
        ("Unknown Error", "failed"),
        ("a lot", "parse_error"),
        ("-5 MiB", "parse_error"),
        ("", "parse_error"),
    ],
)
def test_what_stands_instead_of_a_value_is_an_absence(cell: str, reason: str) -> None:
    (gpu,) = read(f"index, memory.used [MiB]\n0, {cell}\n").gpus
    assert gpu.memory_used_bytes.absent == reason


@pytest.mark.parametrize(
    ("field", "cell", "fact", "value"),
    [
        ("compute_cap", "8.9", "compute_capability", "8.9"),
        ("compute_mode", "Exclusive_Process", "compute_mode", "exclusive_process"),
        ("persistence_mode", "Enabled", "persistence", True),
        ("pcie.link.gen.current", "1", "pcie_generation", 1),
        ("pcie.link.width.max", "16", "pcie_width_max", 16),
        ("temperature.gpu", "41", "temperature_c", 41),
        ("utilization.gpu [%]", "97 %", "utilization_percent", 97),
        ("memory.free", "1.5 GiB", "memory_free_bytes", 3 << 29),
        ("fabric.state", "In Progress", "fabric_state", "in_progress"),
        ("enforced.power.limit [W]", "450.00 W", "power_limit_mw", 450000),
    ],
)
def test_fields_are_named_and_measured_as_in_the_catalogue(field: str, cell: str, fact: str, value: object) -> None:
    (gpu,) = read(f"index, name, {field}\n3, NVIDIA L4, {cell}\n").gpus
    assert gpu.index == 3
    assert getattr(gpu, fact).value == value


def test_every_field_that_is_understood_is_one_of_the_catalogue() -> None:
    header = f"index, {', '.join(query_fields())}\n"
    (gpu,) = read(header + "0" + ", [N/A]" * len(query_fields()) + "\n").gpus
    absent = [
        field for field in Gpu.__struct_fields__ if field != "index" and getattr(gpu, field).absent == "not_supported"
    ]
    assert len(absent) >= 20


def test_without_an_index_the_rows_are_counted() -> None:
    found = read("name, uuid\nNVIDIA L4, GPU-a\nNVIDIA L4, GPU-b\n")
    assert [gpu.index for gpu in found.gpus] == [0, 1]


def test_the_table_is_found_inside_other_text() -> None:
    text = f"$ nvidia-smi --query-gpu=index,name --format=csv\n{HEADER}{ROWS}\n\nThe driver is new, the card is not.\n"
    found = read(text)
    assert len(found.gpus) == 2
    assert found.line == 2
    assert found.rejected_rows == ("The driver is new, the card is not.",)


@pytest.mark.parametrize("row", ["0, NVIDIA L4", "0, NVIDIA L4, 5, 6", "x, NVIDIA L4, 5", "0, again, 5", "9999, L4, 5"])
def test_a_row_that_does_not_fit_ends_the_table(row: str) -> None:
    found = read(f"index, name, temperature.gpu\n0, NVIDIA L4, 40\n{row}\n2, NVIDIA L4, 41\n")
    assert [gpu.index for gpu in found.gpus] == [0]
    assert found.rejected_rows == (row,)


@pytest.mark.parametrize(
    "text", ["", "No devices were found\n", "0, NVIDIA L4, GPU-a\n", "name\n", "a, b, c\n1, 2, 3\n"]
)
def test_without_a_header_there_is_no_table(text: str) -> None:
    assert read_query(text) is None


@given(st.one_of(st.text(), st.text(alphabet="0123456789, .[]NA/MiBW\n").map(lambda text: HEADER + text)))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    found = read_query(text)
    if found is not None:
        assert len({gpu.index for gpu in found.gpus}) == len(found.gpus)
