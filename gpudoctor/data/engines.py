"""How the versions of serving engines account for memory. Source and date are in the file."""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from gpudoctor.paths import data_file

Version = tuple[int, ...]


class VllmEra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """vLLM from one version to the next entry."""

    since: Version
    utilization: float  # default of --gpu-memory-utilization
    # What counts as used besides the cache: all that is gone from the device, what is gone since start-up, or what
    # torch and others allocated since.
    profile: Literal["device", "growth", "torch"]
    v1: bool = False
    chunked_above: int | None = None  # V0: context from which prefill is cut into pieces
    sampler_bytes: float = 38.5  # scratch of the sampler per sequence and entry of the vocabulary
    libraries_gib: float = 0.13  # what is not torch's on one GPU; 0.6.4 counted a part of the CUDA context
    large_from_gib: float | None = None  # memory from which the defaults are those of large cards
    large_is_hopper: bool = False  # only H100, H200 and the like, by name
    graphs: bool = True
    estimates_graphs: bool = False  # subtracts an estimate of the CUDA graphs from the budget
    checks_free: bool = False  # refuses to start where less than its share is free
    multiplies_latents: bool = False  # MLA: keeps products of its projections, and cache entries of 1280 bytes
    groups_layers: bool = False  # hybrid models: layers of unlike kinds in groups of one size
    tokens_by_concurrency: bool = False  # prints concurrency x context as the size of the cache


class SglangEra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """SGLang: the default fraction for TP 1, 2, 4, 8 and 16; empty: computed from the card's memory."""

    since: Version
    fraction: tuple[float, ...] = ()


class Engines(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    source: str
    date: str
    vllm: tuple[VllmEra, ...]
    sglang: tuple[SglangEra, ...]


@cache
def engines() -> Engines:
    """The table."""
    return msgspec.json.decode(data_file("engines.json").read_bytes(), type=Engines)


def vllm_era(version: Version | None) -> VllmEra:
    """The rules of a version; without one those of the newest."""
    eras = engines().vllm
    return eras[-1] if version is None else max((e for e in eras if e.since <= version), default=eras[0], key=_since)


def sglang_era(version: Version | None) -> SglangEra:
    """The rules of a version; without one those of the newest."""
    eras = engines().sglang
    return eras[-1] if version is None else max((e for e in eras if e.since <= version), default=eras[0], key=_since)


def _since(era: VllmEra | SglangEra) -> Version:
    return era.since
