"""What is asked: this model, cut like this, under this engine, on these cards."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from msgspec import Struct

from gpudoctor.fit.card import Card
from gpudoctor.fit.shape import Packing, Shape

Engine = Literal["vllm", "sglang", "tgi", "trtllm", "exllamav2", "exllamav3", "llamacpp", "transformers"]
SplitMode = Literal["layer", "row", "tensor"]
ENGINES: Final[tuple[Engine, ...]] = get_args(Engine)
SPLIT_MODES: Final[tuple[SplitMode, ...]] = get_args(SplitMode)
BY_LAYERS: Final[tuple[Engine, ...]] = ("llamacpp", "exllamav2", "exllamav3", "transformers")
# Bytes of a cached number. Block formats have a scale for 32 values.
_KV_BYTES: Final = {
    "auto": 2.0, "bf16": 2.0, "bfloat16": 2.0, "fp16": 2.0, "float16": 2.0, "f16": 2.0, "half": 2.0, "fp32": 4.0,
    "float32": 4.0, "f32": 4.0, "fp8": 1.0, "fp8_e4m3": 1.0, "fp8_e5m2": 1.0, "fp8_inc": 1.0, "fp8_ds_mla": 1.0,
    "int8": 1.01, "fp4_e2m1": 0.5625, "nvfp4": 0.5625, "q8_0": 1.0625, "q8": 1.0625, "q6": 0.8125, "q5_1": 0.75,
    "q5_0": 0.6875, "q4_1": 0.625, "q4_0": 0.5625, "iq4_nl": 0.5625, "q4": 0.5625,
}  # fmt: skip


class Question(Struct, frozen=True, kw_only=True):
    """One case. `None` means: as the engine does it by itself."""

    shape: Shape
    cards: tuple[Card, ...]  # all that may be used; the first `tp * pp * dp` are, or all of them with a layer split
    engine: Engine = "vllm"
    version: tuple[int, ...] | None = None
    tp: int = 1
    pp: int = 1
    dp: int = 1
    expert_parallel: bool = False
    packing: Packing | None = None
    plain_bytes: float = 2.0
    kv_dtype: str = "auto"
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    utilization: float | None = None  # --gpu-memory-utilization
    mem_fraction: float | None = None  # --mem-fraction-static
    split_mode: SplitMode | None = None
    eager: bool = False

    @property
    def world(self) -> int:
        """GPUs that the run takes with tensor and pipeline parallelism."""
        return self.tp * self.pp * self.dp

    @property
    def kv_bytes(self) -> float:
        """Bytes of a cached number."""
        return _KV_BYTES.get(self.kv_dtype.lower(), 2.0)

    @property
    def context(self) -> int:
        """Tokens that one sequence must be able to have."""
        return self.max_model_len or self.shape.max_positions or 4096

    @property
    def by_layers(self) -> bool:
        """Whether each card gets whole layers."""
        if self.engine == "llamacpp":
            return self.split_mode in (None, "layer")
        return self.engine == "transformers" or (self.engine in BY_LAYERS and self.tp == 1)

    @property
    def used_cards(self) -> tuple[Card, ...]:
        """The cards that hold a part of the model."""
        if self.engine in BY_LAYERS and self.tp * self.pp == 1:
            return self.cards
        return self.cards[: self.world]


def known_kv_dtype(text: str) -> bool:
    """Whether a `--kv-dtype` value is one that an engine has."""
    return text.lower() in _KV_BYTES


def parse_version(text: str) -> tuple[int, ...] | None:
    """`0.6.4.post1`, `v0.11` → numbers; None where there are none."""
    found = re.match(r"v?(\d{1,4}(?:\.\d{1,6}){0,3})", text.strip())
    return tuple(int(part) for part in found.group(1).split(".")) if found else None
