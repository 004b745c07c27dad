"""The CUDA build of torch that this driver runs and that has code for these GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gpudoctor.data.torch_wheels import Build, torch_wheels
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Facts, TorchWheel

_SOURCE: Final = "PyTorch's support matrix"
_NO_DRIVER: Final[Fact[str]] = absent("not_provided", "the CUDA version of the driver is not known")
_NO_GPU: Final[Fact[str]] = absent("not_provided", "the compute capability of the GPUs is not known")

Number = tuple[int, ...]


def derive_torch_wheel(facts: Facts) -> TorchWheel:
    """Of the visible GPUs; of all of them where it is not known which these are."""
    cuda = _number(
        facts.cuda.version.or_none()
        or facts.nvml.cuda_driver_version.or_none()
        or facts.nvidia_smi.cuda_driver_version.or_none()
    )
    if cuda is None:
        return TorchWheel(index=_NO_DRIVER, same_version_index=_NO_DRIVER)
    gpus = facts.gpus.visible.or_none() or facts.gpus.devices.or_none() or ()
    capabilities = [number for gpu in gpus if (number := _number(gpu.compute_capability.or_none())) is not None]
    if not capabilities or len(capabilities) < len(gpus):
        return TorchWheel(index=_NO_GPU, same_version_index=_NO_GPU)
    same = _number((facts.torch.version.or_none() or "").partition("+")[0])
    return TorchWheel(
        index=_first_that_runs(_newest_builds(), cuda, capabilities),
        same_version_index=_first_that_runs(_builds_of(same[:2]), cuda, capabilities)
        if same is not None
        else absent("not_provided", "the version of torch is not known"),
    )


def _newest_builds() -> Iterator[Build]:
    """Of each index what pip takes from it where no version is asked for."""
    indices: set[str] = set()
    for release in torch_wheels().releases:
        yield from (build for build in release.builds if build.index not in indices)
        indices |= {build.index for build in release.builds}


def _builds_of(release: Number) -> Iterator[Build]:
    return (build for one in torch_wheels().releases if _number(one.torch) == release for build in one.builds)


def _first_that_runs(builds: Iterable[Build], cuda: Number, capabilities: Sequence[Number]) -> Fact[str]:
    for build in builds:
        if _runs(build, cuda, capabilities):
            return known(build.index, _SOURCE)
    return absent("not_applicable", "no build for this driver and these GPUs", _SOURCE)


def _runs(build: Build, cuda: Number, capabilities: Sequence[Number]) -> bool:
    lowest, highest = _number(build.lowest) or (), _number(build.highest) or ()
    return cuda[0] >= build.cuda_major and all(lowest <= one <= highest for one in capabilities)


def _number(text: str | None) -> Number | None:
    """(2, 9, 1) of "2.9.1"; letters of a pre-release end it. None where there are not two numbers."""
    numbers = []
    for part in (text or "").split("."):
        digits = part[: next((i for i, letter in enumerate(part) if not letter.isdecimal()), len(part))]
        if not digits or len(digits) > 9:
            break
        numbers.append(int(digits))
    return tuple(numbers) if len(numbers) > 1 else None
