"""The model table: shapes of published models. Each row names its source; read only where a model is named."""

from __future__ import annotations

from functools import cache

import msgspec

from gpudoctor.paths import data_dir


class StoredQuantization(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a checkpoint's `quantization_config` that decides bytes and legal sizes."""

    quant_method: str = ""
    quant_algo: str = ""
    format: str = ""
    bits: int | None = None
    group_size: int | None = None
    weight_block_size: tuple[int, ...] | None = None


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one model, in the names of its config.json. Other keys of the file are not read."""

    id: str
    source: str = ""
    same_shape: tuple[str, ...] = ()  # names of models that differ only in their weights
    hidden_size: int | None = None
    num_hidden_layers: int | None = None
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    v_head_dim: int | None = None
    intermediate_size: int | None = None
    quantized_intermediate_size: int | None = None  # padded in the published 4-bit and 8-bit checkpoints
    moe_intermediate_size: int | None = None
    first_k_dense_replace: int | None = None
    vocab_size: int | None = None
    tie_word_embeddings: bool | None = None
    num_experts: int | None = None
    kv_lora_rank: int | None = None  # multi-head latent attention: no KV heads to share out
    torch_dtype: str | None = None
    quantization_config: StoredQuantization | None = None
    total_params_computed: int | None = None
    total_params_reported: int | float | None = None


class _Table(msgspec.Struct, frozen=True):
    rows: tuple[ModelRow, ...]


@cache
def rows() -> tuple[ModelRow, ...]:
    """All rows, in the order of their ids."""
    return msgspec.json.decode((data_dir() / "models.json").read_bytes(), type=_Table).rows
