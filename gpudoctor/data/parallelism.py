"""The speed of tensor parallelism, pipelines and copies: constants and notes, each with a source."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_file


class SpeedModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Constants. `layer_us`: what a layer costs besides reading weights: newest engines, between, engines of 2024."""

    memory_share: float  # of the peak bandwidth that reading weights reaches
    layer_us: tuple[float, float, float]
    step_us: float  # scheduler, sampler, detokeniser: once a token
    hop_us: float  # from one pipeline stage to the next
    compute_share: float  # of the peak rate that a prompt reaches
    context_tokens: int  # already in the cache when a token is made
    prompt_tokens: int
    chunk_tokens: int  # of a prompt, that pass a pipeline one after the other
    users: int  # "many": as many as engines take at a time by themselves
    users_prompt_tokens: int
    users_answer_tokens: int
    pipeline_share: float  # of what stages that never wait for each other would bring many users
    mean_error_percent: float  # against measurements that the constants were not fitted to


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A thing that the field knows, with a measurement and where it was published."""

    text: str
    url: str


class Parallelism(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    source: str
    date: str
    model: SpeedModel
    notes: dict[str, Note]


@cache
def parallelism() -> Parallelism:
    """The packaged table."""
    return msgspec.json.decode(data_file("parallelism.json").read_bytes(), type=Parallelism)
