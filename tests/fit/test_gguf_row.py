"""Metadata of GGUF files → rows: kinds of layers, latent attention, hybrids."""

from __future__ import annotations

import pytest

from gpudoctor.fit.gguf_row import gguf_row
from gpudoctor.readers.gguf import Gguf, Items, Scalar
from gpudoctor.readers.tensor import Tensor

PLAIN: dict[str, Scalar | Items] = {
    "block_count": 8, "embedding_length": 64, "attention.head_count": 8, "attention.head_count_kv": 2,
    "feed_forward_length": 128, "context_length": 4096, "vocab_size": 320,
}  # fmt: skip


def file(arch: str, tensors: tuple[str, ...] = (), **keys: Scalar | Items) -> Gguf:
    values = {f"{arch}.{name.replace('__', '.')}": value for name, value in {**PLAIN, **keys}.items()}
    named = tuple(Tensor(name, "F16", (4, 4), 32) for name in tensors)
    return Gguf(3, {"general.architecture": arch, **values}, named)


def items(*numbers: int | bool) -> Items:
    return Items(len(numbers), numbers)


PATTERNS: dict[str, tuple[Gguf, str]] = {
    "llama": (file("llama"), ""),
    "a window that llama.cpp does not use": (file("llama", attention__sliding_window=4096), ""),
    "Gemma 2": (file("gemma2", attention__sliding_window=4096), "SFSFSFSF"),
    "Gemma 3": (file("gemma3", attention__sliding_window=1024), "SSSSSFSS"),
    "gpt-oss": (file("gpt-oss", attention__sliding_window=128), "SFSFSFSF"),
    "a pattern of flags": (
        file("gemma4", attention__sliding_window=9, attention__sliding_window_pattern=items(True, False, True, False,
                                                                                             True, False, True, False)),
        "SFSFSFSF"),
    "Llama 4": (file("llama4"), "CCCFCCCF"),
    "Qwen3-Next": (file("qwen3next"), "LLLFLLLF"),
    "Qwen3.5": (file("qwen35", full_attention_interval=2), "LFLFLFLF"),
    "Nemotron-H": (
        file("nemotron_h", attention__head_count_kv=items(0, 0, 2, 0, 0, 0, 2, 0),
             feed_forward_length=items(0, 9, 0, 9, 0, 9, 0, 9)), "M-*-M-*-"),
    "Jamba": (file("jamba", attention__head_count_kv=items(0, 0, 2, 0, 0, 0, 2, 0)), "mmFmmmFm"),
    "LFM2": (file("lfm2", attention__head_count_kv=items(0, 0, 2, 0, 0, 0, 2, 0)), "LLFLLLFL"),
    "Mamba": (file("mamba2"), "MMMMMMMM"),
}  # fmt: skip


@pytest.mark.parametrize(("found", "pattern"), PATTERNS.values(), ids=PATTERNS)
def test_layers_are_those_that_llama_cpp_builds(found: Gguf, pattern: str) -> None:
    assert gguf_row(found, "x").layer_pattern == pattern


def test_layers_that_guess_ahead_are_no_layers_of_the_model() -> None:
    row = gguf_row(file("glm4moe", nextn_predict_layers=1), "x")
    assert (row.num_hidden_layers, row.num_nextn_predict_layers) == (7, 1)


def test_heads_may_differ_between_layers_with_and_without_a_window() -> None:
    row = gguf_row(
        file("gemma3", attention__sliding_window=9, attention__head_count_kv=items(4, 4, 4, 4, 4, 1, 4, 4)), "x"
    )
    assert (row.num_key_value_heads, row.num_global_key_value_heads) == (4, 1)


def test_what_the_metadata_leave_out_the_tensors_tell() -> None:
    names = ("token_embd.weight", "blk.0.attn_q.weight", "blk.0.attn_q.bias", "blk.0.attn_q_norm.weight",
             "blk.0.ffn_up.weight")  # fmt: skip
    row = gguf_row(file("llama", names), "x")
    assert (row.tie_word_embeddings, row.attention_bias, row.use_qk_norm, row.mlp_gated) == (True, True, True, False)
    assert gguf_row(file("llama", (*names, "output.weight", "blk.0.ffn_gate.weight")), "x").tie_word_embeddings is False
    no_vocabulary = file("llama", names)
    bare = {name: value for name, value in no_vocabulary.values.items() if not name.endswith("vocab_size")}
    assert gguf_row(Gguf(3, bare, no_vocabulary.tensors), "x").vocab_size == 4


@pytest.mark.parametrize("value", ["many", -1, True, 0, 1 << 40, Items(3), 1.5])
def test_hostile_values_are_no_numbers(value: Scalar | Items) -> None:
    for name in PLAIN:
        row = gguf_row(Gguf(3, {**file("llama").values, f"llama.{name}": value}, ()), "x")
        assert row.num_hidden_layers is None or 0 < row.num_hidden_layers <= 1024
    gguf_row(Gguf(3, {"general.architecture": "llama"}, ()), "x")
    gguf_row(Gguf(3, {}, ()), "x")
