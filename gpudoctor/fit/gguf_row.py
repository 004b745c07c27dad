"""The metadata and tensors of a GGUF file → a row like those of the model table.

Sources: docs/gguf.md of https://github.com/ggml-org/ggml; src/llama-model.cpp and llama-hparams.cpp of llama.cpp, for
what each architecture assumes where its file says nothing; read 2026-11-21.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from gpudoctor.data.models import ModelRow
from gpudoctor.readers.gguf import Gguf, Items

MAX_LAYERS: Final = 1024
_FAMILIES: Final = {
    "qwen2moe": "qwen2_moe", "qwen2vl": "qwen2_vl", "qwen3moe": "qwen3_moe", "qwen3next": "qwen3_next",
    "qwen3vl": "qwen3_vl", "qwen3vlmoe": "qwen3_vl_moe", "deepseek2": "deepseek_v3", "glm4moe": "glm4_moe",
    "gpt-oss": "gpt_oss", "command-r": "cohere", "llama4": "llama4_text", "gemma3": "gemma3_text", "phi2": "phi",
    "gptneox": "gpt_neox", "minimax-m2": "minimax_m2", "granitehybrid": "granitemoehybrid",
}  # fmt: skip
# Layers in a group of which the last one has no window. Other architectures have none, whatever the file says.
_WINDOW_STEPS: Final = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4, "exaone4": 4, "olmo2": 4, "exaone-moe": 4,
    "smallthinker": 4, "plamo3": 8,
}  # fmt: skip
_CHUNKED: Final = "llama4"
_LETTER_OF_EMPTY: Final = {"lfm2": "L", "lfm2moe": "L", "kimi-linear": "L"}  # where a layer has no KV heads


def gguf_row(file: Gguf, name: str) -> ModelRow:
    """The row of a model in one file, or of the first part with the tensors of all. Never raises."""
    number, names = file.number, {tensor.name for tensor in file.tensors}
    ahead = number("nextn_predict_layers") or 0
    layers = min(max(0, (number("block_count") or 0) - ahead), MAX_LAYERS)
    heads = _heads(file, layers)
    width = _widths(file, layers)
    latent = _latent(file)
    state = _state(file)
    return ModelRow(
        id=name,
        source="GGUF metadata",
        model_type=_FAMILIES.get(file.architecture, file.architecture),
        hidden_size=number("embedding_length"),
        num_hidden_layers=layers or None,
        layer_pattern=_pattern(file, layers),
        num_attention_heads=heads.attention,
        num_key_value_heads=heads.windowed or heads.kv,
        num_global_key_value_heads=heads.kv if heads.windowed else None,
        head_dim=number("attention.key_length_swa", "attention.key_length") if not latent else None,
        global_head_dim=number("attention.key_length") if number("attention.key_length_swa") else None,
        v_head_dim=latent.value if latent else _other_value(file),
        attention_bias="blk.0.attn_q.bias" in names or "blk.0.attn_qkv.bias" in names,
        use_qk_norm="blk.0.attn_q_norm.weight" in names,
        attn_output_gate=file.architecture in ("qwen3next", "qwen35", "qwen35moe"),
        sliding_window=number("attention.sliding_window"),
        attention_chunk_size=8192 if file.architecture == _CHUNKED else None,
        q_lora_rank=number("attention.q_lora_rank") if latent else None,
        kv_lora_rank=latent.rank if latent else None,
        qk_nope_head_dim=latent.nope if latent else None,
        qk_rope_head_dim=latent.rope if latent else None,
        index_n_heads=number("attention.indexer.head_count"),
        index_head_dim=number("attention.indexer.key_length"),
        linear_num_key_heads=state.groups,
        linear_num_value_heads=state.heads,
        linear_key_head_dim=state.size,
        linear_value_head_dim=state.head_dim,
        mamba_num_heads=state.heads,
        mamba_head_dim=state.head_dim or 64,
        ssm_state_size=state.size or 128,
        n_groups=state.groups or 1,
        intermediate_size=max(width, default=None),
        intermediate_sizes=width if len(set(width)) > 1 else (),
        mlp_gated=not names or any(".ffn_gate" in n for n in names),
        num_experts=number("expert_count"),
        num_experts_per_tok=number("expert_used_count"),
        moe_intermediate_size=number("expert_feed_forward_length"),
        num_shared_experts=number("expert_shared_count"),
        shared_expert_intermediate_size=number("expert_shared_feed_forward_length"),
        first_k_dense_replace=number("leading_dense_block_count"),
        moe_layer_step=number("interleave_moe_layer_step"),
        vocab_size=_vocabulary(file),
        tie_word_embeddings=bool(names) and "output.weight" not in names,
        max_position_embeddings=number("context_length"),
        num_nextn_predict_layers=ahead or None,
    )


class _Heads(NamedTuple):
    """`windowed`: KV heads of layers with a window, where they differ from the others."""

    attention: int | None
    kv: int | None
    windowed: int | None


def _heads(file: Gguf, layers: int) -> _Heads:
    attention = file.each("attention.head_count", layers) or ()
    kv = file.each("attention.head_count_kv", layers) or attention
    pattern = _windows(file, layers)
    inside = {n for n, letter in zip(kv, pattern, strict=False) if letter == "S" and n}
    outside = {n for n, letter in zip(kv, pattern, strict=False) if letter == "F" and n}
    different = len(inside) == len(outside) == 1 and inside != outside
    most = max(outside if different else kv, default=0)
    return _Heads(max(attention, default=0) or None, most or None, max(inside) if different else None)


class _Latent(NamedTuple):
    rank: int
    rope: int
    nope: int
    value: int


def _latent(file: Gguf) -> _Latent | None:
    """Files from before llama.cpp cached latents (April 2025) have no key_length_mla: they cache whole heads."""
    rank, rope = file.number("attention.kv_lora_rank"), file.number("rope.dimension_count")
    key, value = file.number("attention.key_length_mla"), file.number("attention.value_length_mla")
    if rank is None or rope is None or key is None or value is None or key <= rope:
        return None
    return _Latent(rank, rope, key - rope, value)


def _other_value(file: Gguf) -> int | None:
    key, value = file.number("attention.key_length"), file.number("attention.value_length")
    return value if value != key else None


class _State(NamedTuple):
    heads: int | None
    head_dim: int | None
    size: int | None
    groups: int | None


def _state(file: Gguf) -> _State:
    inner, heads = file.number("ssm.inner_size"), file.number("ssm.time_step_rank")
    if inner is None or heads is None:
        return _State(None, None, file.number("ssm.state_size"), None)
    return _State(heads, max(1, inner // heads), file.number("ssm.state_size"), file.number("ssm.group_count"))


def _widths(file: Gguf, layers: int) -> tuple[int, ...]:
    return file.each("feed_forward_length", layers) or ()


def _pattern(file: Gguf, layers: int) -> str:
    letters = _windows(file, layers)
    interval = file.number("full_attention_interval")
    if interval or file.architecture == "qwen3next":
        step = interval or 4
        letters = "".join("F" if (i + 1) % step == 0 else "L" for i in range(layers))
    kv = file.each("attention.head_count_kv", layers) or ()
    if 0 in kv and max(kv) > 0:
        letters = _without_heads(file, letters, kv, layers)
    elif file.architecture in ("mamba", "mamba2"):
        letters = "M" * layers
    return letters if set(letters) != {"F"} else ""


def _without_heads(file: Gguf, letters: str, kv: tuple[int, ...], layers: int) -> str:
    """Hybrids say for each layer how many KV heads it has: none is a state space, or a feed-forward part alone."""
    if file.architecture in ("nemotron_h", "nemotron_h_moe"):
        widths = _widths(file, layers) or (0,) * layers
        experts = "E" if file.number("expert_count") else "-"
        return "".join("*" if n else experts if width else "M" for n, width in zip(kv, widths, strict=False))
    empty = _LETTER_OF_EMPTY.get(file.architecture, "m")
    return "".join(letter if n else empty for n, letter in zip(kv, letters, strict=False))


def _windows(file: Gguf, layers: int) -> str:
    arch = file.architecture
    if arch == _CHUNKED:
        return "".join("F" if (i + 1) % 4 == 0 else "C" for i in range(layers))
    if not file.number("attention.sliding_window"):
        return "F" * layers
    written = file.values.get(f"{arch}.attention.sliding_window_pattern")
    if isinstance(written, Items) and len(written.numbers) >= layers:
        return "".join("S" if n else "F" for n in written.numbers[:layers])
    step = written if isinstance(written, int) and written > 0 else _WINDOW_STEPS.get(arch)
    return "".join("S" if step and (i + 1) % step else "F" for i in range(layers))


def _vocabulary(file: Gguf) -> int | None:
    stated = file.number("vocab_size") or file.length("tokenizer.ggml.tokens")
    if stated:
        return stated
    found = next((t for t in file.tensors if t.name == "token_embd.weight" and len(t.shape) == 2), None)
    return found.shape[0] if found else None
