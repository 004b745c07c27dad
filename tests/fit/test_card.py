"""Cards by the names that people give them."""

from __future__ import annotations

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.fit.card import named_card


@pytest.mark.parametrize(
    ("text", "name", "gib"),
    [
        ("RTX 4090 24GB", "RTX 4090", 23.6), ("4090", "RTX 4090", 23.6), ("NVIDIA GeForce RTX 3090", "RTX 3090", 23.6),
        ("H100 80GB", "H100 80GB HBM3", 79.19), ("H100 80GB SXM", "H100 80GB HBM3", 79.19),
        ("H100 NVL 94GB", "H100 NVL", 93.02), ("H200 141GB", "H200", 139.72), ("A100 40GB", "A100-SXM4-40GB", 39.5),
        ("A100 80GB SXM", "A100-SXM4-80GB", 79.25), ("A100-80G", "A100-SXM4-80GB", 79.25), ("A10G 24GB", "A10G", 22.1),
        ("L40S 48GB", "L40S", 44.45), ("T4", "Tesla T4", 14.56), ("RTX A6000 48GB", "RTX A6000", 47.5),
        ("DGX Spark GB10", "GB10", 121.6), ("V100 16GB", "Tesla V100-SXM2-32GB", 15.63),
        ("2080Ti", "RTX 2080 Ti", 10.6),
        ("RTX 5000 Ada 32GB", "RTX 5000 Ada Generation", 31.57),
    ],
)  # fmt: skip
def test_usual_names(text: str, name: str, gib: float) -> None:
    found = named_card(text)
    assert found.name == name
    assert found.total_gib == pytest.approx(gib, abs=0.05)
    assert not found.guessed


@pytest.mark.parametrize(
    ("text", "gib"),
    [("24GB x2", 23.6), ("80GB GPU", 79.45), ("A100 40GB MIG 1g.5gb", 4.75), ("RTX 3050 Laptop 6GB", 5.65)],
)
def test_a_size_is_enough(text: str, gib: float) -> None:
    found = named_card(text)
    assert found.total_gib == pytest.approx(gib, abs=0.05)
    assert found.guessed


def test_the_user_knows_the_total_better() -> None:
    assert named_card("RTX 3090 24GB", 23.58).total_gib == pytest.approx(23.58)


@pytest.mark.parametrize("text", ["Voodoo 3", "", "x" * 5000, "RTX", "\x1b[31m4090x"])
def test_an_unknown_card_is_a_usage_error_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        named_card(text)
    assert raised.value.hint


def test_a_laptop_is_not_its_desktop_namesake() -> None:
    assert named_card("RTX 4090 Laptop 16GB").total_gib < 16
