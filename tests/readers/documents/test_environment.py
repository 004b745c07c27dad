"""Variables in pastes."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.environment import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_all_forms_and_nothing_secret() -> None:
    facts = read(sample("environment"), DOCUMENT)
    assert facts.environment.variables.value == {
        "NVIDIA_VISIBLE_DEVICES": "all",
        "CUDA_VISIBLE_DEVICES": "0,1,2,3",
        "NCCL_P2P_DISABLE": "1",
        "NCCL_DEBUG": "INFO",
        "NCCL_SOCKET_IFNAME": "^lo,docker0",
        "NCCL_IB_DISABLE": "1",
    }
    assert facts.virtualization.nvidia_visible_devices.value == "all"


def test_the_last_assignment_counts() -> None:
    assert read("NCCL_DEBUG=WARN\nNCCL_DEBUG=INFO", DOCUMENT).environment.shell.value == {"NCCL_DEBUG": "INFO"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NCCL_P2P_LEVEL = NVL", "NVL"),
        ('export NCCL_P2P_LEVEL="NVL"', "NVL"),
        ("NCCL_P2P_LEVEL=NVL \\", "NVL"),
        ("  -e NCCL_P2P_LEVEL=NVL", "NVL"),
        ("NCCL_P2P_LEVEL=NVL  # keeps NVLink", "NVL"),
        ("ENV NCCL_P2P_LEVEL=NVL", "NVL"),
        ("NCCL_P2P_LEVEL=", ""),
    ],
)
def test_forms(line: str, value: str) -> None:
    assert read(line, DOCUMENT).environment.variables.value == {"NCCL_P2P_LEVEL": value}


def test_a_url_loses_its_user() -> None:
    facts = read("HF_ENDPOINT=https://me:pw@mirror/x", DOCUMENT)
    assert facts.environment.variables.value == {"HF_ENDPOINT": "https://mirror/x"}


@pytest.mark.parametrize(
    "line",
    [
        "Run with NCCL_DEBUG=INFO for details",
        "I set NCCL_P2P_DISABLE=1 and it works",
        "NCCL_P2P_DISABLE set by environment to 1.",
        "MY_TOKEN=abc",
        "CUDA_VISIBLE_DEVICES=0,1 python train.py",
        "NCCL INFO NCCL_DEBUG=INFO",
    ],
)
def test_sentences_and_commands_are_no_assignments(line: str) -> None:
    assert not found([line], DOCUMENT)
