"""Bytes of the cache for a token, and how many tokens a size holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.fit.identify import identify
from gpudoctor.fit.kv import BLOCK, grouped_cache, layer_cache, plain_cache
from gpudoctor.fit.shape import Attention, LinearAttention
from tests.fit.cases import GIB

# model, TP, bytes a token on one rank with a 16-bit cache
PER_TOKEN = [
    ("meta-llama/Llama-2-7b-hf", 1, 524_288),
    ("meta-llama/Meta-Llama-3.1-70B", 1, 327_680),
    ("meta-llama/Meta-Llama-3.1-70B", 8, 40_960),
    ("meta-llama/Meta-Llama-3.1-70B", 16, 40_960),  # 8 KV heads: no smaller from here on
    ("Qwen/Qwen3-30B-A3B", 4, 24_576),
    ("Qwen/Qwen3-30B-A3B", 8, 24_576),
    ("deepseek-ai/DeepSeek-V3", 1, 70_272),
    ("deepseek-ai/DeepSeek-V3", 8, 70_272),  # latents are the same on every rank
    ("Qwen/Qwen3.5-27B", 1, 65_536),  # 16 of 64 layers
    ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", 1, 200_704),  # 49 of 80 layers
]


@pytest.mark.parametrize(("model", "tp", "expected"), PER_TOKEN)
def test_bytes_a_token(model: str, tp: int, expected: int) -> None:
    assert plain_cache(identify(model).shape.layers, tp, 2.0).per_token == expected


def test_eight_bits_are_half() -> None:
    layers = identify("meta-llama/Meta-Llama-3.1-8B").shape.layers
    assert plain_cache(layers, 1, 1.0).per_token * 2 == plain_cache(layers, 1, 2.0).per_token


def test_glm_5_in_fp8_is_what_its_log_prints_by_layer() -> None:
    layer = identify("zai-org/GLM-5.2-FP8").shape.layers[0]
    assert layer_cache(layer.mixer, 8, 1.0).per_token == 656 + 132


def test_a_layer_that_borrows_its_cache_has_none() -> None:
    assert layer_cache(Attention(heads=8, kv_heads=2, head_dim=64, borrows_kv=True), 1, 2.0).per_token == 0


def test_gemma_3_1b_has_seven_groups_of_four_layers() -> None:
    """22 windowed layers make six groups of four with two layers of padding; a log of vLLM 0.10.1 agrees."""
    shape = identify("google/gemma-3-1b-it").shape
    cache = grouped_cache(shape.layers, 1, 2.0, context=32768, prefill=2048, by_concurrency=False)
    assert sum(number for number, _, _ in cache.groups) == 7
    assert cache.capacity(52608 * 28 * 1024) == 52608


def test_gpt_oss_has_two_groups() -> None:
    shape = identify("openai/gpt-oss-120b").shape
    cache = grouped_cache(shape.layers, 1, 2.0, context=131072, prefill=8192, by_concurrency=False)
    assert sorted(cache.groups, key=str) == sorted([(1, None, False), (1, 128, False)], key=str)
    assert cache.need(131072) < plain_cache(shape.layers, 1, 2.0).need(131072)


def test_a_state_takes_one_block_whatever_the_length() -> None:
    shape = identify("Qwen/Qwen3.5-27B").shape
    cache = grouped_cache(shape.layers, 1, 2.0, context=32768, prefill=2048, by_concurrency=True)
    assert sum(state for _, _, state in cache.groups) == 1
    assert cache.need(1) > 3 * cache.block_bytes
    growth = cache.need(200_000) - cache.need(100_000)
    assert growth == pytest.approx(100_000 * 65_536, rel=0.02)


def test_a_window_over_all_layers_bounds_what_one_sequence_needs() -> None:
    cache = plain_cache(identify("mistralai/Mistral-7B-v0.1").shape.layers, 1, 2.0)
    assert cache.need(100_000) == cache.need(4096) == 4096 * 131_072


def test_linear_attention_state_by_hand() -> None:
    mixer = LinearAttention(key_heads=16, value_heads=48, key_dim=128, value_dim=128, conv_kernel=4)
    assert layer_cache(mixer, 2, 2.0).state == 24 * 128 * 128 * 4 + (2 * 8 * 128 + 24 * 128) * 3 * 2


@given(size=st.integers(0, 100 * GIB), context=st.integers(1, 200_000))
def test_capacity_and_need_agree(size: int, context: int) -> None:
    cache = plain_cache(identify("meta-llama/Meta-Llama-3.1-8B").shape.layers, 2, 2.0)
    tokens = cache.capacity(size)
    assert tokens % BLOCK == 0
    assert cache.need(tokens) <= size
    assert cache.need(tokens + 1) > size
    assert (cache.need(context) <= size) == (context <= tokens)


@pytest.mark.parametrize("model", ["google/gemma-3-27b-it", "openai/gpt-oss-20b", "Qwen/Qwen3.5-35B-A3B"])
def test_the_longest_context_is_the_last_that_fits(model: str) -> None:
    cache = grouped_cache(identify(model).shape.layers, 1, 2.0, context=65536, prefill=2048, by_concurrency=True)
    longest = cache.longest(8 * GIB)
    assert cache.need(longest) <= 8 * GIB < cache.need(longest + cache.block)
