"""Lists of GPUs by number."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.gpu_list import DOCUMENT
from tests.readers.documents.reading import found, gpus, read, sample


def test_nvidia_smi_l_with_mig() -> None:
    first, second = gpus(read(sample("gpu_list"), DOCUMENT))
    assert (first.name.value, first.uuid.value) == ("NVIDIA A10", "GPU-3b70e2a4-19cd-6f51-80a7-d25c0e9f1b34")
    assert (second.mig_enabled.value, second.mig_devices.value) == (True, 2)
    assert not second.memory_total_bytes.known  # the name is not a measurement


def test_notes_with_remarks_and_one_name_for_several_numbers() -> None:
    listed = gpus(read(sample("gpu_list.notes"), DOCUMENT))
    assert [gpu.index for gpu in listed] == [0, 1, 2, 3]
    assert listed[1].memory_total_bytes.value == 24 << 30
    assert (listed[1].pcie_width.value, listed[1].pcie_generation.value) == (4, 3)
    assert listed[3].name.value == "NVIDIA RTX A6000"


def test_lines_apart_are_one_list_and_a_gap_makes_it_partial() -> None:
    facts = read("GPU 0: NVIDIA A10\nsomething\nGPU 2: NVIDIA A10\n", DOCUMENT)
    assert [gpu.index for gpu in gpus(facts)] == [0, 2]
    assert facts.nvidia_smi.gpus_partial.value is True


def test_memory_behind_a_name_completes_it() -> None:
    (gpu,) = gpus(read("GPU 0: NVIDIA A100-SXM4 (40 GB)", DOCUMENT))
    assert gpu.name.value == "NVIDIA A100-SXM4-40GB"


@pytest.mark.parametrize(
    "line",
    [
        "GPU 0 has a total capacity of 23.64 GiB of which 12.00 MiB is free.",
        "GPU 0: process 12 is using 1 GiB",
        "GPU 0,1,2,3 Compute Capability: 9.0",
        "GPU 0: 2 MiB / 24564 MiB",
        "GPU 1: Loading weights",
        "[GPU 0] NVIDIA stuff",
    ],
)
def test_lines_of_logs_are_no_list(line: str) -> None:
    assert not found([line], DOCUMENT)


def test_gpustat_and_old_reports() -> None:
    text = "[0] NVIDIA GeForce RTX 3090 | 45'C,   0 % |     3 / 24576 MB | me(1M)\n"
    text += "[1] Tesla T4 | 30'C,  0 % | 3 / 15360 MB |\n"
    first, second = gpus(read(text, DOCUMENT))
    assert (first.memory_total_bytes.value, second.name.value) == (24576 << 20, "Tesla T4")
    (gpu,) = gpus(read("GPU models and configuration: GPU 0: Tesla T4", DOCUMENT))
    assert gpu.name.value == "Tesla T4"
