"""`nvidia-smi nvlink`."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.nvlink import DOCUMENT
from tests.readers.documents.reading import gpus, read, sample


def test_states_and_counters() -> None:
    first, second = gpus(read(sample("nvlink"), DOCUMENT))
    assert (first.nvlinks_total.value, first.nvlinks_active.value) == (3, 2)
    assert (second.nvlinks_active.value, second.nvlink_crc_errors.value) == (3, 20)
    assert not first.nvlink_crc_errors.known


def test_links_without_the_line_of_their_gpu() -> None:
    facts = read(sample("nvlink")[1:4], DOCUMENT)
    assert gpus(facts)[0].nvlinks_active.value == 2
    assert facts.nvidia_smi.gpus_partial.value is True


def test_all_links_down() -> None:
    text = (
        "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-1e07c3d8)\n"
        "NVML: Unable to retrieve NVLink information as all links are inActive\n"
    )
    assert gpus(read(text, DOCUMENT))[0].nvlinks_active.value == 0


def test_a_list_of_gpus_alone_says_nothing_of_links() -> None:
    assert read(sample("gpu_list"), DOCUMENT) == Facts()
