"""Ways to spread a model over GPUs: the `options` of the `fit` key. The JSON keys are a contract (docs/fit.md)."""

from __future__ import annotations

from msgspec import Struct


class FitTimes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many times as fast as on one of the GPUs, with the bounds that it is expected within."""

    low: float
    middle: float
    high: float


class FitOption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way. Times are null where a GPU's speed is not known, or where it does not fit."""

    name: str
    tp: int
    pp: int
    dp: int
    split: str  # "layer" or "tensor" where the engine has no TP size
    legal: bool
    fits: bool
    why_not: str
    kv_tokens: int | None  # of all copies together
    decode_times: FitTimes | None  # tokens of one user
    prompt_times: FitTimes | None
    throughput_times: float | None  # tokens of many users, all copies together
