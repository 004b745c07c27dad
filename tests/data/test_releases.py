"""Versions that come together."""

from __future__ import annotations

import pytest

from gpudoctor.data.releases import releases


@pytest.mark.parametrize(
    ("driver", "cuda"), [("535.183.01", "12.2"), ("580.95.05", "13.0"), ("999.1", None), ("", None)]
)
def test_the_cuda_of_a_drivers_branch(driver: str, cuda: str | None) -> None:
    assert releases().cuda_of_driver(driver) == cuda


def test_only_pypis_own_build_is_known() -> None:
    found = releases().torch_release("2.5.1+cu124")
    assert found is not None
    assert found.nccl == "2.21.5"
    assert releases().torch_release("2.5.1") is found
    assert releases().torch_release("2.5.1+cu118") is None
    assert releases().torch_release("0.1") is None


def test_no_version_is_listed_twice() -> None:
    versions = [version for release in releases().torch for version in release.versions]
    assert len(versions) == len(set(versions))
