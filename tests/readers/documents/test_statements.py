"""Reports and notes."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.statements import DOCUMENT
from tests.readers.documents.reading import found, gpus, read, sample


def names(text: str) -> list[str]:
    return [str(gpu.name.value) for gpu in gpus(read(text, DOCUMENT))]


def test_collect_env() -> None:
    facts = read(sample("statements"), DOCUMENT)
    assert (facts.torch.version.value, facts.torch.cuda_version.value) == ("2.5.1+cu124", "12.4")
    assert facts.torch.cuda_available.value is True
    assert facts.nvidia_smi.driver_version.value == "550.90.07"
    assert (facts.machine.os.value, facts.machine.kernel.value) == ("Ubuntu 22.04.5 LTS (x86_64)", "5.15.0-122-generic")
    assert (facts.machine.glibc.value, facts.machine.architecture.value) == ("2.35", "x86_64")
    assert facts.python.vllm.value == "0.6.4.post1"
    assert facts.torch.version.source == "collect_env"


def test_collect_env_as_vllm_aligns_it() -> None:
    text = "PyTorch version              : 2.7.0+cu126\nNvidia driver version        : 570.86.15\n"
    facts = read(text, DOCUMENT)
    assert (facts.torch.version.value, facts.driver.module_version.value) == ("2.7.0+cu126", "570.86.15")


def test_ds_report() -> None:
    facts = read(sample("statements.ds_report"), DOCUMENT)
    assert (facts.torch.version.value, facts.torch.cuda_version.value) == ("2.1.0+cu121", "12.1")
    assert facts.python.deepspeed.value == "0.12.6"
    assert facts.shm.size_bytes.value == 64 << 20


def test_check_env_of_sglang() -> None:
    facts = read(sample("statements.check_env"), DOCUMENT)
    assert facts.python.sglang.value == "0.3.5.post2"
    assert facts.driver.module_version.value == "550.90.12"  # it calls the driver's version CUDA's
    assert facts.virtualization.vm.value == "kvm"
    assert facts.limits.nofile.value == 1048576


def test_notes() -> None:
    facts = read(sample("statements.notes"), DOCUMENT)
    assert (facts.machine.os.value, facts.machine.kernel.value) == ("Debian 12", "6.1.0-25-amd64")
    assert (facts.machine.cpu_vendor.value, facts.nccl.winner_version.value) == ("amd", "2.23.4")
    assert [gpu.name.value for gpu in gpus(facts)] == ["NVIDIA RTX 6000D"] * 8
    assert (facts.nvidia_smi.driver_version.value, facts.nvidia_smi.cuda_driver_version.value) == ("580.82.07", "13.0")
    assert (facts.python.vllm.value, facts.torch.version.value) == ("0.20.1", "2.11.0+cu130")
    assert facts.shm.size_bytes.value == 64 << 20


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("4x NVIDIA A10 (24 GB each)", "NVIDIA A10", 4),
        ("GPU: 2 x RTX 4090", "NVIDIA GeForce RTX 4090", 2),
        ("GPUs: RTX 3090 x2", "NVIDIA GeForce RTX 3090", 2),
        ("Hardware: dual RTX A6000", "NVIDIA RTX A6000", 2),
        ("8\u00d7 NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3", 8),
        ("Instance: 8x NVIDIA B200", "NVIDIA B200", 8),
        ("GPU type: NVIDIA L4\nGPU number: 4", "NVIDIA L4", 4),
    ],
)
def test_how_people_count_gpus(text: str, name: str, count: int) -> None:
    assert names(text) == [name] * count


def test_models_without_a_count() -> None:
    facts = read("GPU: Tesla K80, Tesla P100", DOCUMENT)
    assert facts.nvidia_smi.models.value == ("Tesla K80", "Tesla P100")
    assert not facts.nvidia_smi.gpus.known


def test_different_cards_in_one_line_are_added_up() -> None:
    assert names("GPUs: 2x RTX 3090, 1x RTX 4090") == ["NVIDIA GeForce RTX 3090"] * 2 + ["NVIDIA GeForce RTX 4090"]


def test_the_second_line_does_not_count_the_same_gpus_again() -> None:
    assert len(names("GPU: 8x H100\nInstance: 8x H100")) == 8


def test_machines_are_no_gpus() -> None:
    assert names("Hardware: 2x DGX A100") == []


def test_cuda_alone_may_be_the_toolkit() -> None:
    assert not read("CUDA: 12.4", DOCUMENT).nvidia_smi.cuda_driver_version.known
    assert read("Driver 560.35.05, CUDA 12.6", DOCUMENT).nvidia_smi.cuda_driver_version.value == "12.6"


def test_two_versions_are_none() -> None:
    assert not read("NCCL:     2.0.5 / 2.1.15", DOCUMENT).nccl.winner_version.known


def test_a_torch_without_cuda() -> None:
    facts = read("PyTorch version: 2.4.0+cpu\nCUDA used to build PyTorch: None\nIs CUDA available: False", DOCUMENT)
    assert (facts.torch.cuda_build.value, facts.torch.cuda_available.value) == (False, False)
    assert facts.torch.cuda_version.absent == "not_applicable"


@pytest.mark.parametrize(
    "line",
    [
        "torch version mismatch between ranks",
        "Using GPU: 0",
        "CPU: 12% GPU: 80%",
        "I have 2 RTX cards and they hang",
        "vLLM is using nccl==2.20.5",
        "Python 3.10 is not supported by this build, please upgrade",
        "rank 0: driver shut down",
        "GPU: 0",
    ],
)
def test_sentences_are_no_statements(line: str) -> None:
    read_of = [DOCUMENT.read(block.lines) for block in found([line], DOCUMENT)]
    assert not any(facts.nvidia_smi.gpus.known or facts.torch.version.known for facts in read_of)


def test_a_sentence_that_lists_versions() -> None:
    facts = read(
        "I'm using Python 3.9.7, Transformers 4.17.0, PyTorch 1.11.0+cu113, NCCL 2.12.7 for CUDA 11.6", DOCUMENT
    )
    assert (facts.torch.version.value, facts.nccl.winner_version.value) == ("1.11.0+cu113", "2.12.7")
    assert facts.python.transformers.value == "4.17.0"


def test_a_line_of_the_kernels_log_is_no_version_of_the_kernel() -> None:
    assert not read("kernel: nvidia 0000:41:00.0: AMD-Vi: Event logged", DOCUMENT).machine.kernel.known
    assert read("Kernel: Linux 5.15.0-25-generic", DOCUMENT).machine.kernel.value == "5.15.0-25-generic"
