"""A local folder's config.json → the same shape as a row of the model table. The file is foreign: bounded, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from gpudoctor.data.models import ModelRow, StoredQuantization

_MAX_BYTES: Final = 1 << 20
_MAX_NUMBER: Final = 10**7
_NESTED: Final = ("text_config", "llm_config", "language_config")
# Families whose weights follow from these numbers alone: attention, gated MLP or experts, embeddings.
_COUNTED: Final = frozenset(
    {
        "deepseek_v2", "deepseek_v3", "gemma", "gemma2", "gemma3", "gemma3_text", "glm4_moe", "granite", "internlm2",
        "kimi_k2", "llama", "ministral3", "mistral", "mixtral", "olmo2", "phi3", "qwen2", "qwen3", "qwen3_moe",
    }
)  # fmt: skip

Json = Mapping[str, object]


def read_config(text: str, name: str) -> ModelRow | None:
    """The shape that a config.json gives; None where it is no such file."""
    if len(text) > _MAX_BYTES:
        return None
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    if not isinstance(data, dict):
        return None
    inner: Json = next((v for key in _NESTED if isinstance(v := data.get(key), dict)), data)
    row = ModelRow(
        id=name,
        source="config.json",
        hidden_size=_number(inner, "hidden_size", "n_embd", "d_model"),
        num_hidden_layers=_number(inner, "num_hidden_layers", "n_layer", "n_layers"),
        num_attention_heads=_number(inner, "num_attention_heads", "n_head", "n_heads"),
        num_key_value_heads=_number(inner, "num_key_value_heads", "num_kv_heads", "num_attention_heads"),
        head_dim=_number(inner, "head_dim"),
        v_head_dim=_number(inner, "v_head_dim"),
        intermediate_size=_number(inner, "intermediate_size", "ffn_hidden_size"),
        moe_intermediate_size=_number(inner, "moe_intermediate_size"),
        first_k_dense_replace=_number(inner, "first_k_dense_replace"),
        vocab_size=_number(inner, "vocab_size") or _number(data, "vocab_size"),
        tie_word_embeddings=_tied(data, inner),
        num_experts=_number(inner, "num_local_experts", "num_experts", "n_routed_experts"),
        kv_lora_rank=_number(inner, "kv_lora_rank"),
        torch_dtype=_text(inner, "torch_dtype") or _text(inner, "dtype") or None,
        quantization_config=_quantization(data, inner),
    )
    if row.num_attention_heads is None:
        return None
    kind = _text(inner, "model_type") or _text(data, "model_type")
    total = count_parameters(row, inner) if kind in _COUNTED else None
    return msgspec.structs.replace(row, total_params_computed=total)


def _number(data: Json, *names: str) -> int | None:
    for name in names:
        value = data.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_NUMBER:
            return value
    return None


def _text(data: Json, name: str) -> str:
    value = data.get(name)
    return value[:64] if isinstance(value, str) else ""


def _tied(data: Json, inner: Json) -> bool:
    """Untied is what most families default to; Gemma and its kin leave the key out and tie."""
    for source in (inner, data):
        value = source.get("tie_word_embeddings")
        if isinstance(value, bool):
            return value
    return _text(inner, "model_type").startswith(("gemma", "cohere"))


def _quantization(data: Json, inner: Json) -> StoredQuantization | None:
    found = data.get("quantization_config") or inner.get("quantization_config")
    if not isinstance(found, dict):
        return None
    weights = _group_weights(found)
    block = found.get("weight_block_size")
    sizes = tuple(n for n in block if isinstance(n, int) and 0 < n <= _MAX_NUMBER) if isinstance(block, list) else ()
    eight = found.get("load_in_8bit") is True
    return StoredQuantization(
        quant_method=_text(found, "quant_method"),
        quant_algo=_text(found, "quant_algo"),
        format=_text(found, "format"),
        bits=_number(found, "bits", "w_bit") or _number(weights, "num_bits") or (8 if eight else None),
        group_size=_number(found, "group_size", "q_group_size") or _number(weights, "group_size"),
        weight_block_size=sizes or None,
    )


def _group_weights(found: Json) -> Json:
    """compressed-tensors: config_groups.group_0.weights."""
    groups = found.get("config_groups")
    group = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = group.get("weights") if isinstance(group, dict) else None
    return weights if isinstance(weights, dict) else {}


def count_parameters(row: ModelRow, config: Json) -> int | None:
    """All weights by the shape, without vision towers; None where a number is missing."""
    hidden, layers, vocab = row.hidden_size, row.num_hidden_layers, row.vocab_size
    if not hidden or not layers or not vocab:
        return None
    attention = _attention(row, config, hidden)
    mlp = _mlp(row, config, hidden, layers)
    if attention is None or mlp is None:
        return None
    embeddings = vocab * hidden * (1 if row.tie_word_embeddings else 2)
    return layers * (attention + 2 * hidden) + mlp + embeddings + hidden


def _attention(row: ModelRow, config: Json, hidden: int) -> int | None:
    heads, kv = row.num_attention_heads or 0, row.num_key_value_heads or 0
    if row.kv_lora_rank is not None:
        nope, rope = _number(config, "qk_nope_head_dim"), _number(config, "qk_rope_head_dim")
        value = row.v_head_dim
        if nope is None or rope is None or value is None:
            return None
        rank = _number(config, "q_lora_rank")
        query = rank * (hidden + heads * (nope + rope)) if rank else hidden * heads * (nope + rope)
        keys = hidden * (row.kv_lora_rank + rope) + row.kv_lora_rank * heads * (nope + value)
        return query + keys + heads * value * hidden
    head = row.head_dim or hidden // heads
    bias = (heads + 2 * kv) * head if config.get("attention_bias") is True or _biased(config) else 0
    return 2 * hidden * heads * head + 2 * hidden * kv * head + bias


def _biased(config: Json) -> bool:
    return _text(config, "model_type") == "qwen2"


def _mlp(row: ModelRow, config: Json, hidden: int, layers: int) -> int | None:
    dense = 3 * hidden * (row.intermediate_size or 0)
    experts = row.num_experts
    if not experts:
        return layers * dense or None
    width = row.moe_intermediate_size or row.intermediate_size or 0
    shared = _number(config, "n_shared_experts", "num_shared_experts") or 0
    sparse = 3 * hidden * width * (experts + shared) + hidden * experts
    first = min(layers, row.first_k_dense_replace or 0)
    return first * dense + (layers - first) * sparse or None
