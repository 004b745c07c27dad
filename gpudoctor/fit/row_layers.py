"""The parts of one layer by the letter that a row of the table gives it."""

from __future__ import annotations

from typing import Final, Literal

from gpudoctor.data.models import ModelRow
from gpudoctor.fit.shape import (
    Attention,
    CompressedAttention,
    Dense,
    Experts,
    FeedForward,
    LatentAttention,
    LinearAttention,
    Mixer,
    StateSpace,
)

_COMPRESSED: Final = {"W": 0, "c": 4, "h": 128}
_HEAD_NORM: Final = ("qwen3", "gemma-3", "gemma-4", "minimax", "exaone-4", "olmo-3")
_QKV_BIAS_ONLY: Final = ("qwen", "glm", "internlm3", "gte")
_SHARED_GATE: Final = ("qwen2_moe", "qwen3_next", "qwen3_5_moe")


def mixer(row: ModelRow, letter: str) -> Mixer:
    """The mixer of a layer with this letter."""
    if letter in "Mm":
        return StateSpace(
            heads=row.mamba_num_heads or 0,
            head_dim=row.mamba_head_dim,
            state_dim=row.ssm_state_size,
            groups=row.n_groups,
        )
    if letter == "L":
        return LinearAttention(
            key_heads=row.linear_num_key_heads or 0,
            value_heads=row.linear_num_value_heads or 0,
            key_dim=row.linear_key_head_dim or 0,
            value_dim=row.linear_value_head_dim or 0,
            conv_kernel=row.linear_conv_kernel_dim,
        )
    if letter in _COMPRESSED:
        return _compressed(row, _COMPRESSED[letter])
    return _latent(row) if row.kv_lora_rank else _attention(row, letter)


def feed_forward(row: ModelRow, index: int, letter: str) -> FeedForward | None:
    """The feed-forward part of layer `index`; None where its width is not known."""
    if row.num_experts and letter != "-" and _has_experts(row, index):
        return _experts(row)
    width = row.intermediate_sizes[index] if row.intermediate_sizes else row.intermediate_size
    return Dense(width=width, gated=row.mlp_gated, bias=row.model_type in _BIASED) if width else None


_BIASED: Final = ("phi", "opt", "bloom", "gpt2", "gpt_neox", "gptj", "starcoder2")


def _has_experts(row: ModelRow, index: int) -> bool:
    if index < (row.first_k_dense_replace or 0):
        return False
    step = row.moe_layer_step or 1
    return (index + 1) % step == 0


def _experts(row: ModelRow) -> Experts:
    width = row.moe_intermediate_size or row.intermediate_size or 0
    shared = row.shared_expert_intermediate_size or (row.num_shared_experts or 0) * width
    beside = row.model_type == "gemma4"
    oss = row.model_type == "gpt_oss"
    return Experts(
        count=row.num_experts or 0,
        active=row.num_experts_per_tok or 1,
        width=width,
        shared_width=0 if beside else shared,
        shared_gate=row.model_type in _SHARED_GATE or "Qwen3-Next" in row.id,
        gated=row.mlp_gated,
        bias=oss,
        router_bias=oss,
        dense_width=(row.intermediate_size or 0) if beside else 0,
        latent=row.moe_latent_size,
    )


def _attention(row: ModelRow, letter: str) -> Attention:
    heads = row.num_attention_heads or 0
    sliding = letter == "S"
    everywhere = letter in "F*" and row.global_head_dim is not None  # Gemma 4: global layers have other heads
    kv = row.num_key_value_heads or heads
    if everywhere:
        kv = row.num_global_key_value_heads or kv
    if sliding:
        kv = row.sliding_num_key_value_heads or kv
    window = row.sliding_window if sliding else (row.attention_chunk_size or 8192) if letter == "C" else None
    return Attention(
        heads=heads,
        kv_heads=kv,
        head_dim=(row.global_head_dim if everywhere else row.head_dim) or (row.hidden_size or 0) // max(heads, 1),
        value_dim=row.v_head_dim,
        window=window,
        chunked=letter == "C",
        qkv_bias=_biased(row),
        out_bias=_biased(row) and not any(name in row.id.lower() for name in _QKV_BIAS_ONLY),
        qk_norm=_qk_norm(row),
        gated=row.attn_output_gate,
        sinks=row.model_type == "gpt_oss",
        key_is_value=everywhere and row.attention_k_eq_v,
        cross=letter == "X",
        index_heads=row.index_n_heads or 0,
        index_dim=row.index_head_dim or 0,
    )


def _biased(row: ModelRow) -> bool:
    if row.attention_bias is not None:
        return row.attention_bias
    return row.model_type in ("qwen2", "qwen") or row.id.startswith(("Qwen/Qwen-", "Qwen/Qwen1.5"))


def _qk_norm(row: ModelRow) -> Literal["none", "head", "full"]:
    name = row.id.lower()
    if row.model_type == "olmo2" or "olmo-2" in name or "minimax-m2" in name:
        return "full"
    return "head" if row.use_qk_norm or any(part in name for part in _HEAD_NORM) else "none"


def _latent(row: ModelRow) -> LatentAttention:
    return LatentAttention(
        heads=row.num_attention_heads or 0,
        kv_rank=row.kv_lora_rank or 0,
        nope_dim=row.qk_nope_head_dim or 128,
        rope_dim=row.qk_rope_head_dim or 64,
        value_dim=row.v_head_dim or 128,
        q_rank=row.q_lora_rank,
        index_heads=row.index_n_heads or 0,
        index_dim=row.index_head_dim or 0,
    )


def _compressed(row: ModelRow, ratio: int) -> CompressedAttention:
    indexed = ratio == 4
    return CompressedAttention(
        heads=row.num_attention_heads or 0,
        head_dim=row.head_dim or 0,
        q_rank=row.q_lora_rank or 0,
        o_groups=row.o_groups or 1,
        o_rank=row.o_lora_rank or 0,
        window=row.sliding_window or 128,
        ratio=ratio,
        index_heads=(row.index_n_heads or 0) if indexed else 0,
        index_dim=(row.index_head_dim or 0) if indexed else 0,
    )
