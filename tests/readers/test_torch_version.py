"""torch/version.py and the pin of NCCL."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers import torch_version
from gpudoctor.readers.torch_version import TorchVersion, decode_nccl, read_nccl_pin, read_version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 1.13
        (
            "__version__ = '1.13.1+cu117'\ndebug = False\ncuda = '11.7'\nhip = None\n",
            ("1.13.1+cu117", "11.7", None, True),
        ),
        # 2.13, CPU
        (
            "from typing import Optional\n__all__ = ['__version__', 'cuda']\n__version__ = '2.13.0+cpu'\n"
            "cuda: Optional[str] = None\nhip: Optional[str] = None\nrocm: Optional[str] = None\n",
            ("2.13.0+cpu", None, None, True),
        ),
        # ROCm
        ("__version__ = '2.9.1+rocm6.4'\ncuda = None\nhip = '6.4.43482'\n", ("2.9.1+rocm6.4", None, "6.4.43482", True)),
        ('__version__ = "2.9.0a0+git"\n', ("2.9.0a0+git", None, None, False)),
        ("", (None, None, None, False)),
        ("__version__ = get_version()\ncuda = f()\n", (None, None, None, False)),
        ("__version__ = 'unclosed\n" + "x" * 1000, (None, None, None, False)),
    ],
)
def test_assignments_of_every_generation_are_read(
    text: str, expected: tuple[str | None, str | None, str | None, bool]
) -> None:
    assert read_version(text) == TorchVersion(*expected)


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ('nvidia-nccl-cu12==2.27.5; platform_system == "Linux"', ("nvidia-nccl-cu12", "2.27.5")),
        ("nvidia-nccl-cu12 (==2.19.3) ; platform_system == 'Linux'", ("nvidia-nccl-cu12", "2.19.3")),
        ("nvidia_nccl_cu13==2.30.7", ("nvidia-nccl-cu13", "2.30.7")),
        ("nvidia-nccl-cu12>=2.20", None),
        ("nvidia-cudnn-cu12==9.1", None),
        ("", None),
    ],
)
def test_only_an_exact_requirement_of_nccl_is_a_pin(requirement: str, expected: tuple[str, str] | None) -> None:
    assert read_nccl_pin(requirement) == expected


@pytest.mark.parametrize(
    ("said", "version"),
    [("2403", "2.4.3"), ("2708", "2.7.8"), ("20900", "2.9.0"), ("23102", "2.31.2"), ("2.27.5", "2.27.5"), ("x", "x"),
     ("99999999", "99999999"), ("", "")],
)  # fmt: skip
def test_both_encodings_of_the_number_are_decoded(said: str, version: str) -> None:
    assert decode_nccl(said) == version


@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    read_version(text)
    read_nccl_pin(text)
    decode_nccl(text)


def test_the_documented_examples_hold() -> None:
    assert doctest.testmod(torch_version).failed == 0
