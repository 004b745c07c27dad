"""`free` and /proc/meminfo."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.free import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_sizes_for_people() -> None:
    memory = read(sample("free"), DOCUMENT).memory
    assert (memory.total_bytes.value, memory.available_bytes.value) == (503 << 30, 462 << 30)
    assert (memory.swap_total_bytes.value, memory.swap_free_bytes.value) == (8 << 30, 8 << 30)


@pytest.mark.parametrize(
    ("row", "total"),
    [
        ("Mem:      527434564    38000000   420000000    1200000    67000000   484000000", 527434564 << 10),
        ("Mem:         515072       37000      410000        1200       67000      473000", 515072 << 20),
        ("Mem:            503          37         401           1          64         462", 503 << 30),
        ("Mem:          62G        1.2G         50G        100M         11G         60G", 62 << 30),
    ],
)
def test_what_bare_numbers_count(row: str, total: int) -> None:
    assert read(row, DOCUMENT).memory.total_bytes.value == total


def test_meminfo() -> None:
    text = "MemTotal:       527434564 kB\nMemAvailable:   484000000 kB\nBuffers: 1 kB\n"
    memory = read(text, DOCUMENT).memory
    assert (memory.total_bytes.value, memory.available_bytes.value) == (527434564 << 10, 484000000 << 10)


def test_a_cut_row() -> None:
    memory = read("Mem:           503Gi        37Gi       401Gi", DOCUMENT).memory
    assert memory.total_bytes.value == 503 << 30
    assert not memory.available_bytes.known
    assert not found(["Mem: 503Gi 37Gi", "Mem: lots of it is used here"], DOCUMENT)
