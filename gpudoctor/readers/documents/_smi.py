"""What a listing of GPUs and a driver version are worth as facts, whoever printed them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import fields

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Driver, Facts, Gpu, NvidiaSmi, Nvml

MAX_GPUS = 64
_FIELDS = frozenset(field.name for field in fields(Gpu)) - {"index"}


def gpu(index: int, values: Mapping[str, object], source: str) -> Gpu:
    """A GPU with the values that are not None; names are those of `Gpu`."""
    facts: dict[str, Any] = {
        name: known(value, source) for name, value in values.items() if value is not None and name in _FIELDS
    }
    return Gpu(index=index, **facts)


def gpu_list(gpus: Iterable[Gpu]) -> tuple[Gpu, ...]:
    """In order of their numbers, each number once, as many as a machine can have."""
    by_index: dict[int, Gpu] = {}
    for one in gpus:
        by_index.setdefault(one.index, one)
    return tuple(by_index[index] for index in sorted(by_index))[:MAX_GPUS]


def has_gap(gpus: tuple[Gpu, ...]) -> bool:
    """Whether a number is missing before the last: the list was cut."""
    return [one.index for one in gpus] != list(range(len(gpus)))


def smi_facts(
    source: str,
    *,
    gpus: tuple[Gpu, ...] | None = None,
    partial: bool = False,
    driver: str = "",
    cuda: str = "",
    loaded: bool = False,
) -> Facts:
    """Facts of nvidia-smi's kind.

    `partial`: there may be more GPUs. `cuda` is the newest CUDA that the driver supports. `loaded`: whoever printed
    this had opened the driver. That it works is not said: a paste often holds the machine's answer beside the failure
    inside a container.
    """
    listed: Fact[tuple[Gpu, ...]] = NOT_PROVIDED if not gpus else known(gpus, source)
    return Facts(
        nvidia_smi=NvidiaSmi(
            driver_version=_text(driver, source),
            cuda_driver_version=_text(cuda, source),
            gpus=listed,
            gpus_partial=known(partial or has_gap(gpus), source) if gpus else NOT_PROVIDED,
        ),
        nvml=Nvml(
            driver_version=_text(driver, source),
            cuda_driver_version=_text(cuda, source),
        ),
        driver=Driver(
            module_loaded=known(True, source) if loaded else NOT_PROVIDED,
            module_version=_text(driver, source),
        ),
    )


def _text(value: str, source: str) -> Fact[str]:
    return known(value, source) if value else NOT_PROVIDED
