"""Names of distributions."""

from __future__ import annotations

import pytest

from gpudoctor.readers.distributions import matters, normalised


@pytest.mark.parametrize(
    ("name", "counts"),
    [("torch", True), ("nvidia-nccl-cu12", True), ("requests", False), ("ray", True), ("array", False)],
)
def test_what_matters(name: str, counts: bool) -> None:
    assert matters(name) is counts


def test_dashes_points_and_capitals_are_alike() -> None:
    assert normalised("Flash__Attn.Two") == "flash-attn-two"
