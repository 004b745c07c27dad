"""Names of GPUs and sizes as people write them."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents._gpu_names import canonical, looks_like_gpu
from gpudoctor.readers.documents._software import cuda_of_build
from gpudoctor.readers.documents._text import size_bytes

GIB = 1 << 30


@pytest.mark.parametrize(
    ("written", "memory", "name"),
    [
        ("RTX 3090", None, "NVIDIA GeForce RTX 3090"),
        ("rtx4090", None, "NVIDIA GeForce RTX 4090"),
        ("A6000", None, "NVIDIA RTX A6000"),
        ("T4", None, "Tesla T4"),
        ("GeForce RTX 2080 Ti", None, "NVIDIA GeForce RTX 2080 Ti"),
        ("NVIDIA A100-SXM", 40536 << 20, "NVIDIA A100-SXM4-40GB"),
        ("NVIDIA H100 80G", 81559 << 20, "NVIDIA H100 80GB HBM3"),
        ("RTX 6000 Ada", None, "NVIDIA RTX 6000 Ada Generation"),
        ("H100", None, "NVIDIA H100"),  # several models are called so
        ("Quadro RTX 5000 16 GB", None, "Quadro RTX 5000"),
        ("Tesla V100", None, "Tesla V100"),
    ],
)
def test_names_of_the_driver(written: str, memory: int | None, name: str) -> None:
    assert canonical(written, memory) == name


@pytest.mark.parametrize(
    "text", ["NVIDIA B200", "L40S", "Tesla P100-PCIE-16GB", "TITAN Xp", "NVIDIA RTX PRO 6000 Blackwell"]
)
def test_names_of_gpus(text: str) -> None:
    assert looks_like_gpu(text)


@pytest.mark.parametrize(
    "text", ["", "has a total capacity", "A2 is busy", "process 5", "NVIDIA", "Loading", "2080 Ti"]
)
def test_other_words(text: str) -> None:
    assert not looks_like_gpu(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16g", 16 * GIB),
        ("1Gi", GIB),
        ("64.00 MB", 64 << 20),
        ("24564MiB", 24564 << 20),
        ("65536", 65536),
        ("0B", 0),
        ("lots", None),
        ("9" * 9 + "T", None),
        ("-1", None),
        ("", None),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    assert size_bytes(text) == size


def test_a_unit_where_none_is_written() -> None:
    assert size_bytes("65536", unit="k") == 64 << 20


@pytest.mark.parametrize(
    ("build", "cuda"), [("2.9.1+cu128", "12.8"), ("py3.10_cuda12.1_cudnn8.9.2_0", "12.1"), ("2.1.0+cpu", ""), ("", "")]
)
def test_cuda_of_builds(build: str, cuda: str) -> None:
    assert cuda_of_build(build) == cuda
