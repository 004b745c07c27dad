"""GPUs in sentences."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.gpu_mentions import DOCUMENT
from tests.readers.documents.reading import gpus, read, sample


def names(text: str) -> list[str]:
    return [str(gpu.name.value) for gpu in gpus(read(text, DOCUMENT))]


def test_sentences_that_agree() -> None:
    assert names("\n".join(sample("gpu_mentions"))) == ["NVIDIA GeForce RTX 3090"] * 2


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("running with tp=8 on 8xV100 GPUs. It stops", "NVIDIA V100", 8),
        ("PyTorch 1.11.0, NCCL 2.12.7, and four Nvidia A6000 GPUs.", "NVIDIA RTX A6000", 4),
        ("a box with 4x 4090", "NVIDIA GeForce RTX 4090", 4),
        ("I have 2 NVIDIA RTX 4090 cards", "NVIDIA GeForce RTX 4090", 2),
        ("8*A100-80G", "NVIDIA A100-80G", 8),
    ],
)
def test_how_people_say_it(text: str, name: str, count: int) -> None:
    assert names(text) == [name] * count


@pytest.mark.parametrize(
    "text",
    [
        "works on 4x A100 and fails on 8x A100",
        "2 nodes with 8x H100 each",
        "mistralai/Mixtral-8x22B",
        "an 8x7B model",
        "4x faster than before",
        "allocated 4x1024 bytes",
        "epoch 2 RTX",
        "1.2x A100 speed",
    ],
)
def test_sentences_that_say_nothing(text: str) -> None:
    assert names(text) == []
