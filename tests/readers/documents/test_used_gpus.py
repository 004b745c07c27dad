"""GPUs that programs list."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.used_gpus import DOCUMENT
from tests.readers.documents.reading import found, gpus, read, sample


def test_nccl_tests() -> None:
    facts = read(sample("used_gpus.nccl_tests")[:3], DOCUMENT)
    assert [gpu.pci_bus_id.value for gpu in gpus(facts)] == ["0000:3b:00.0", "0000:3c:00.0"]
    assert facts.nvidia_smi.gpus_partial.value is True


def test_the_node_with_most_of_them_counts() -> None:
    row = "#  Rank  {0} Pid  99 on {1} device  {2} [0x1a] NVIDIA A100-SXM4-80GB"
    rows = [row.format(0, "a", 0), row.format(1, "b", 0), row.format(2, "b", 1)]
    assert len(gpus(read(rows, DOCUMENT))) == 2


def test_numbers_that_change_their_card_are_none_of_the_driver() -> None:
    row = "#  Rank  {0} Group  0 Pid  99 on a device  {0} [{1}] NVIDIA L40S"
    rows = [row.format(0, "0x17"), row.format(1, "0xb4"), row.format(0, "0xb3"), row.format(1, "0xb4")]
    facts = read(rows, DOCUMENT)
    assert not facts.nvidia_smi.gpus.known
    assert facts.nvidia_smi.models.value == ("NVIDIA L40S",)


def test_ggml_and_device_query() -> None:
    (gpu,) = gpus(read(sample("used_gpus.nccl_tests")[3:], DOCUMENT))
    assert (gpu.name.value, gpu.compute_capability.value) == ("NVIDIA GeForce RTX 3090", "8.6")
    (gpu,) = gpus(read('Device 0: "Tesla T4"', DOCUMENT))
    assert gpu.name.value == "Tesla T4"


def test_the_connectivity_matrix() -> None:
    peers = read(sample("used_gpus"), DOCUMENT).cuda.peer_access.or_none() or ()
    assert {(peer.a, peer.b, peer.allowed.value) for peer in peers} == {
        ("0000:01:00.0", "0000:c1:00.0", False),
        ("0000:c1:00.0", "0000:01:00.0", False),
    }


@pytest.mark.parametrize("line", ["Device 0: busy", "Device 3: offline, compute capability unknown", "Pid 12 on host"])
def test_other_lines_are_left(line: str) -> None:
    assert not found([line], DOCUMENT)
