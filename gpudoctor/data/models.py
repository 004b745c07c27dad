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
    expert_dtype: str = ""  # fp4: DeepSeek V4
    kept: tuple[str, ...] = ()  # what stays 16-bit: attention
    kept_layers: tuple[int, ...] = ()


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one model, in the names of its config.json. Other keys of the file are not read.

    `layer_pattern` has one letter a layer, or those that repeat: F full attention, S sliding window, C chunked,
    L linear attention, X cross-attention to the image, W and c and h compressed attention (window only, 4 and 128
    tokens an entry), m state space, each with a feed-forward part; M state space, * attention, - dense and E experts
    alone.
    """

    id: str
    source: str = ""
    same_shape: tuple[str, ...] = ()  # names of models that differ only in their weights
    model_type: str = ""
    hidden_size: int | None = None
    num_hidden_layers: int | None = None
    layer_pattern: str = ""  # "": full attention with a feed-forward part, in all layers
    num_attention_heads: int | None = None
    num_key_value_heads: int | None = None
    num_global_key_value_heads: int | None = None  # of layers without a window, where they differ (Gemma 4)
    sliding_num_key_value_heads: int | None = None  # of layers with one, where they differ (MiMo V2)
    head_dim: int | None = None
    global_head_dim: int | None = None
    attention_bias: bool | None = None
    attention_k_eq_v: bool = False
    attn_output_gate: bool = False
    use_qk_norm: bool = False
    sliding_window: int | None = None
    attention_chunk_size: int | None = None
    rope_dim: int | None = None
    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None  # multi-head latent attention: no KV heads to share out
    qk_nope_head_dim: int | None = None
    qk_rope_head_dim: int | None = None
    v_head_dim: int | None = None
    index_n_heads: int | None = None
    index_head_dim: int | None = None
    o_groups: int | None = None
    o_lora_rank: int | None = None
    linear_num_key_heads: int | None = None
    linear_num_value_heads: int | None = None
    linear_key_head_dim: int | None = None
    linear_value_head_dim: int | None = None
    linear_conv_kernel_dim: int = 4
    mamba_num_heads: int | None = None
    mamba_head_dim: int = 64
    ssm_state_size: int = 128
    n_groups: int = 8
    intermediate_size: int | None = None
    intermediate_sizes: tuple[int, ...] = ()  # by layer, where they differ
    quantized_intermediate_size: int | None = None  # padded in the published 4-bit and 8-bit checkpoints
    mlp_gated: bool = True
    num_experts: int | None = None
    num_experts_per_tok: int | None = None
    moe_intermediate_size: int | None = None
    moe_latent_size: int | None = None
    moe_layer_step: int | None = None
    num_shared_experts: int | None = None
    shared_expert_intermediate_size: int | None = None
    first_k_dense_replace: int | None = None
    vocab_size: int | None = None
    tie_word_embeddings: bool | None = None
    learned_positions: int = 0
    max_position_embeddings: int | None = None
    instruct_max_position_embeddings: int | None = None  # of its Instruct variants, where they state less
    torch_dtype: str | None = None
    quantization_config: StoredQuantization | None = None
    tower_parameters: int | None = None
    tower_projector_parameters: int = 0
    tower_heads: int = 0
    num_nextn_predict_layers: int | None = None
    total_params_computed: int | None = None
    total_params_reported: int | float | None = None


class _Table(msgspec.Struct, frozen=True):
    rows: tuple[ModelRow, ...]


@cache
def rows() -> tuple[ModelRow, ...]:
    """All rows, in the order of their ids."""
    return msgspec.json.decode((data_dir() / "models.json").read_bytes(), type=_Table).rows
