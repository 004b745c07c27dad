"""Which build of torch a driver runs and a GPU finds its code in."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gpudoctor.data.torch_wheels import torch_wheels
from gpudoctor.derive.torch_wheel import derive_torch_wheel
from gpudoctor.model.fact import Fact, known
from gpudoctor.model.facts import CudaDriver, Facts, Gpu, Gpus, Torch, TorchWheel


def gpu(index: int, capability: str) -> Gpu:
    return Gpu(
        index=index, compute_capability=known(capability, "test") if capability else Gpu(index=0).compute_capability
    )


def wheel(driver: str, capabilities: list[str], torch: str = "") -> TorchWheel:
    facts = Facts(
        cuda=CudaDriver(version=known(driver, "test")) if driver else CudaDriver(),
        gpus=Gpus(visible=known(tuple(gpu(i, each) for i, each in enumerate(capabilities)), "test")),
    )
    return derive_torch_wheel(replace(facts, torch=Torch(version=known(torch, "test"))) if torch else facts)


def said(fact: Fact[str]) -> str | None:
    return fact.or_none() or fact.absent


@pytest.mark.parametrize(
    ("driver", "capabilities", "index"),
    [
        ("13.0", ["12.0", "12.0"], "cu130"),
        ("13.2", ["9.0"], "cu130"),
        ("12.8", ["12.0"], "cu128"),  # the last torch with CUDA 12 for Blackwell
        ("12.8", ["12.1"], "cu128"),
        ("12.2", ["8.9", "8.6"], "cu126"),
        ("13.0", ["7.0", "8.0"], "cu126"),  # CUDA 13 has dropped Volta
        ("11.4", ["8.0"], "cu118"),
        ("13.0", ["7.0", "12.0"], "not_applicable"),  # 2.9 and 2.10 have code for both, the newest of cu128 has not
        ("13.0", ["6.1", "12.0"], "not_applicable"),
        ("10.2", ["7.0"], "not_applicable"),
        ("", ["8.0"], "not_provided"),
        ("13.0", ["8.0", ""], "not_provided"),
        ("13.0", [], "not_provided"),
        ("unknown", ["8.0"], "not_provided"),
    ],
)
def test_the_newest_torch_that_runs_here(driver: str, capabilities: list[str], index: str) -> None:
    assert said(wheel(driver, capabilities).index) == index


@pytest.mark.parametrize(
    ("torch", "driver", "capability", "index"),
    [
        ("2.9.1+cpu", "13.0", "12.0", "cu128"),  # PyTorch's own default of that release
        ("2.13.0+cpu", "13.0", "12.0", "cu130"),
        ("2.13.0+cpu", "12.8", "12.0", "not_applicable"),  # the only CUDA 12 build has no code for it
        ("2.13.0+cpu", "12.8", "8.9", "cu126"),
        ("2.14.0a0+git123", "13.1", "10.0", "cu130"),
        ("2.10.0+cpu", "13.0", "7.0", "cu128"),
        ("2.6.0+cpu", "13.0", "12.0", "not_applicable"),
        ("1.13.1+cpu", "13.0", "8.0", "not_applicable"),
        ("garbage", "13.0", "8.0", "not_provided"),
    ],
)
def test_the_same_release(torch: str, driver: str, capability: str, index: str) -> None:
    assert said(wheel(driver, [capability], torch).same_version_index) == index


def test_the_table_names_every_release_once_newest_first() -> None:
    releases = [tuple(int(part) for part in one.torch.split(".")) for one in torch_wheels().releases]
    assert releases == sorted(set(releases), reverse=True)
    for one in torch_wheels().releases:
        assert len({build.index for build in one.builds}) == len(one.builds)
        assert all(build.cuda_major in (11, 12, 13) for build in one.builds)
