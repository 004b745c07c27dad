"""A config.json → a row like those of the model table: one form for published and local models.

Sources: configuration classes of https://github.com/huggingface/transformers (models/*/configuration_*.py), read
2026-11-21; where a family leaves a key out, what its class assumes is assumed.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from gpudoctor.data.models import ModelRow, StoredQuantization
from gpudoctor.fit.config_pattern import layer_pattern
from gpudoctor.fit.config_states import linear, state_space
from gpudoctor.fit.config_tower import tower_size
from gpudoctor.readers.model_config import ModelConfig, Section
from gpudoctor.readers.quantization_config import read_quantization

MAX_LAYERS: Final = 1024
_UNGATED: Final = (
    "gpt2", "gpt_neox", "gpt_bigcode", "gptj", "falcon", "opt", "bloom", "phi", "mpt", "codegen", "starcoder2",
    "nemotron", "nemotron_h", "arcee", "apertus", "jais2", "persimmon", "fuyu", "gpt_neo", "gpt_neox_japanese", "xglm",
    "biogpt", "nanochat",
)  # fmt: skip
_BIASED: Final = ("qwen", "qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "gpt2", "opt", "bloom", "phi", "gpt_neox")
_TIED: Final = ("gemma", "cohere", "gpt2", "opt", "bloom", "falcon", "mpt", "starcoder2", "gpt_bigcode")
_FOUR_TIMES: Final = (
    "gpt2", "gpt_neo", "gpt_bigcode", "gpt_neox_japanese", "falcon", "bloom", "gptj", "mpt", "codegen",
)  # fmt: skip
_WIDTH: Final = (
    "intermediate_size",
    "ffn_hidden_size",
    "inner_hidden_size",
    "ffn_dim",
    "n_inner",
    "inner_dim",
    "hidden_dim",
)
_EXPERTS: Final = ("num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts", "num_moe_experts")
_ACTIVE: Final = ("num_experts_per_tok", "num_experts_per_token", "moe_k", "moe_top_k", "top_k_experts", "moe_topk")
_EXPERT_WIDTH: Final = ("moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size", "ffn_hidden_size")
_SHARED: Final = ("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts")
_SHARED_WIDTH: Final = (
    "shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size",
)  # fmt: skip


class _Experts(NamedTuple):
    total: int | None = None
    active: int | None = None
    width: int | None = None
    dense_width: int | None = None
    shared: int | None = None
    shared_width: int | None = None
    first_dense: int | None = None
    step: int | None = None


def row_of(config: ModelConfig, name: str, source: str = "config.json") -> ModelRow:
    """The row that a configuration gives; what it does not say is None there. Never raises."""
    text, family = config.language, config.family
    number = text.number
    attention = text.section("attn_config") or text  # DBRX and MPT keep some numbers there
    layers = _layers(text)
    heads = number("num_attention_heads", "n_head", "n_heads", "num_heads")
    experts = _experts(text, family)
    tower = tower_size(config)
    states, space = linear(text), state_space(text)
    return ModelRow(
        id=name,
        source=source,
        model_type=family,
        hidden_size=number("hidden_size", "n_embd", "d_model", "dim"),
        num_hidden_layers=layers,
        layer_pattern=layer_pattern(text, family, layers or 0),
        num_attention_heads=heads,
        num_key_value_heads=_kv_heads(text, attention) or heads,
        num_global_key_value_heads=number("num_global_key_value_heads"),
        sliding_num_key_value_heads=number("swa_num_key_value_heads"),
        head_dim=number("head_dim", "kv_channels", "attention_head_dim"),
        global_head_dim=number("global_head_dim"),
        attention_bias=_biased(text, family),
        attention_k_eq_v=text.flag("attention_k_eq_v") is True,
        attn_output_gate=_gated(text, family),
        use_qk_norm=_normed(text, family),
        sliding_window=number("sliding_window", "sliding_window_size"),
        attention_chunk_size=number("attention_chunk_size"),
        q_lora_rank=number("q_lora_rank"),
        kv_lora_rank=number("kv_lora_rank"),
        qk_nope_head_dim=number("qk_nope_head_dim"),
        qk_rope_head_dim=number("qk_rope_head_dim"),
        v_head_dim=number("v_head_dim"),
        index_n_heads=number("index_n_heads"),
        index_head_dim=number("index_head_dim"),
        o_groups=number("o_groups"),
        o_lora_rank=number("o_lora_rank"),
        linear_num_key_heads=states.key_heads,
        linear_num_value_heads=states.value_heads,
        linear_key_head_dim=states.key_dim,
        linear_value_head_dim=states.value_dim,
        linear_conv_kernel_dim=states.kernel,
        mamba_num_heads=space.heads,
        mamba_head_dim=space.head_dim,
        ssm_state_size=space.state,
        n_groups=space.groups,
        intermediate_size=experts.dense_width,
        intermediate_sizes=_widths_by_layer(text, layers or 0),
        mlp_gated=family not in _UNGATED,
        num_experts=experts.total,
        num_experts_per_tok=experts.active,
        moe_intermediate_size=experts.width,
        moe_latent_size=number("moe_latent_size"),
        moe_layer_step=experts.step,
        num_shared_experts=experts.shared,
        shared_expert_intermediate_size=experts.shared_width,
        first_k_dense_replace=experts.first_dense,
        vocab_size=number("vocab_size", "padded_vocab_size") or config.whole.number("vocab_size"),
        tie_word_embeddings=_tied(config, family),
        learned_positions=_learned_positions(text, family),
        max_position_embeddings=number("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"),
        torch_dtype=_dtype(text, config.whole),
        quantization_config=_stored(config),
        tower_parameters=tower.parameters if tower else None,
        tower_projector_parameters=tower.projector if tower else 0,
        tower_heads=tower.heads if tower else 0,
        num_nextn_predict_layers=number("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_layers"),
    )


def _layers(text: Section) -> int | None:
    stated = text.number("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    listed = len(text.texts("layers_block_type", "layer_types")) or len(text.text("hybrid_override_pattern"))
    found = stated or listed
    return min(found, MAX_LAYERS) if found else None


def _experts(text: Section, family: str) -> _Experts:
    number = text.number
    ffn = text.section("ffn_config") or text  # DBRX
    count = number(*_EXPERTS) or ffn.number(*_EXPERTS)
    dense = number(*_WIDTH) or ffn.number("ffn_hidden_size") or _assumed_width(text, family)
    if not count or count == 1:
        return _Experts(dense_width=dense)
    width = number(*_EXPERT_WIDTH) or ffn.number("ffn_hidden_size") or dense
    shared = number(*_SHARED)
    if family.startswith("llama4"):  # the experts have the plain name, and a shared one of the same width
        width, dense, shared = number("intermediate_size"), number("intermediate_size_mlp"), 1
    return _Experts(
        total=count,
        active=number(*_ACTIVE) or ffn.number(*_ACTIVE),
        width=width,
        dense_width=dense,
        shared=shared,
        shared_width=number(*_SHARED_WIDTH),
        first_dense=_first_dense(text),
        step=number("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval", "expert_layer_period"),
    )


def _assumed_width(text: Section, family: str) -> int | None:
    """Four times the hidden size is what GPT-2, Falcon and BLOOM mean by leaving it out."""
    hidden = text.number("hidden_size", "n_embd", "d_model")
    return 4 * hidden if hidden and family in _FOUR_TIMES else None


def _first_dense(text: Section) -> int | None:
    """How many layers come before the first one with experts."""
    stated = text.count("first_k_dense_replace", "moe_layer_start_index", "num_dense_layers")
    if stated is not None:
        return stated
    kinds = text.texts("mlp_layer_types")
    if kinds:
        return next((i for i, kind in enumerate(kinds) if kind != "dense"), len(kinds))
    frequency = text.numbers("moe_layer_freq")
    return next((i for i, n in enumerate(frequency) if n), len(frequency)) if frequency else None


def _kv_heads(text: Section, attention: Section) -> int | None:
    names = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "n_kv_heads", "kv_n_heads")
    old_falcon = text.flag("multi_query") is True and text.flag("new_decoder_architecture") is not True
    if old_falcon:  # it writes num_kv_heads too, and does not mean it
        return text.number("multi_query_group_num") or 1
    found = text.number(*names) or attention.number(*names) or text.number("num_attention_groups")
    return found or _common_group(text)


def _common_group(text: Section) -> int | None:
    """Nemotron NAS: heads for each KV head, by layer; the KV heads of most layers."""
    parts = (block.section("attention") for block in text.sections("block_configs"))
    sizes = Counter(size for part in parts if part and (size := part.number("n_heads_in_group")))
    heads = text.number("num_attention_heads")
    return heads // sizes.most_common(1)[0][0] if sizes and heads else None


def _widths_by_layer(text: Section, layers: int) -> tuple[int, ...]:
    """Widths that differ from layer to layer: Gemma 3n lists them, Nemotron NAS has factors."""
    listed = text.numbers("intermediate_size")
    if len(listed) >= layers > 0:
        return listed[:layers]
    hidden = text.number("hidden_size") or 0
    widths: list[int] = []
    for block in text.sections("block_configs"):
        part = block.section("ffn")
        factor = part.real("ffn_mult") if part else None
        stated = part.number("intermediate_size") if part else None
        widths.append(stated or (-(-int(2 * factor * hidden / 3) // 256) * 256 if factor else 0))
    return tuple(widths[:layers]) if len(widths) >= layers > 0 else ()


def _biased(text: Section, family: str) -> bool | None:
    for name in ("attention_bias", "add_qkv_bias", "qkv_bias"):
        stated = text.flag(name)
        if stated is not None:
            return stated
    return family in _BIASED


def _gated(text: Section, family: str) -> bool:
    stated = text.flag("attn_output_gate")
    return stated if stated is not None else family.startswith(("qwen3_next", "qwen3_5"))


def _normed(text: Section, family: str) -> bool:
    for name in ("use_qk_norm", "qk_norm", "qk_layernorm"):
        stated = text.flag(name)
        if stated is not None:
            return stated
    return family.startswith(("qwen3", "gemma3", "gemma4", "exaone4", "olmo3", "lfm2"))


def _tied(config: ModelConfig, family: str) -> bool:
    for part in (config.whole, config.language):  # multimodal models: the outer one decides
        stated = part.flag("tie_word_embeddings")
        if stated is not None:
            return stated
    return family.startswith(_TIED)


def _learned_positions(text: Section, family: str) -> int:
    if family in ("gpt2", "gpt_bigcode", "opt"):
        return text.number("max_position_embeddings", "n_positions") or 0
    return 0


def _dtype(text: Section, whole: Section) -> str | None:
    return text.text("torch_dtype", "dtype") or whole.text("torch_dtype", "dtype") or None


def _stored(config: ModelConfig) -> StoredQuantization | None:
    section = config.quantization
    found = read_quantization(section) if section else None
    if section is None or found is None:
        return None
    return StoredQuantization(
        quant_method=found.method,
        quant_algo=found.algorithm.upper() if found.method == "modelopt" else "",
        format=found.algorithm if found.method != "modelopt" else "",
        bits=int(found.bits) if found.bits and found.bits.is_integer() else None,
        group_size=found.group_size,
        weight_block_size=(found.block_size, found.block_size) if found.block_size else None,
    )
