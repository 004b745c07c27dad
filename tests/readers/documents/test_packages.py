"""Listings of packages."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.packages import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_pip_list() -> None:
    facts = read(sample("packages"), DOCUMENT)
    assert (facts.torch.version.value, facts.torch.cuda_version.value) == ("2.5.1+cu124", "12.4")
    assert (facts.python.vllm.value, facts.python.transformers.value) == ("0.6.4.post1", "4.46.2")
    assert facts.nccl.wheels.value == ("nvidia-nccl-cu12==2.21.5",)
    assert (facts.nccl.winner_version.value, facts.nccl.winner_found_by.value) == ("2.21.5", "wheel")


def test_conda_and_the_systems_packages() -> None:
    facts = read(sample("packages.conda"), DOCUMENT)
    assert (facts.torch.version.value, facts.torch.cuda_version.value) == ("2.1.0", "12.1")
    assert (facts.nccl.winner_version.value, facts.nccl.winner_found_by.value) == ("2.18.3", "system")


def test_two_wheels_of_nccl_have_no_winner() -> None:
    facts = read("nvidia-nccl-cu12==2.21.5\nnvidia-nccl-cu11==2.19.3\n", DOCUMENT)
    assert len(facts.nccl.wheels.or_none() or ()) == 2
    assert not facts.nccl.winner_version.known


@pytest.mark.parametrize(
    ("text", "cuda", "build"),
    [("torch==2.4.0+cpu", None, False), ("torch==2.4.0+rocm6.1", None, False), ("torch==2.4.0", None, None)],
)
def test_builds_of_torch(text: str, cuda: str | None, build: bool | None) -> None:
    torch = read(text, DOCUMENT).torch
    assert (torch.cuda_version.or_none(), torch.cuda_build.or_none()) == (cuda, build)


@pytest.mark.parametrize(
    "line",
    [
        "torch 2.1 hangs on this machine",
        "Successfully installed torch-2.1.0",
        "Requirement already satisfied: torch==2.1.0 in /opt/venv",
        "transformers version: 4.40",
        "ray start --head --port 6379",
        "requests==2.31.0",
        "torch.distributed.run 2.1",
    ],
)
def test_sentences_are_no_listing(line: str) -> None:
    assert not found([line], DOCUMENT)
