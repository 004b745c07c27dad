"""config.json → the shape: against what transformers builds of the same file, and against the packaged table."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from gpudoctor.data.models import rows
from gpudoctor.fit.config_row import row_of
from gpudoctor.fit.rows import IncompleteRowError, shape_of
from gpudoctor.fit.shape import Shape
from gpudoctor.fit.weights import Placement, rank_weights
from gpudoctor.readers.model_config import read_model_config
from tests.fit.families import config_text, families, tensors
from tests.readers.test_model_config import values


def shape(config: dict[str, object]) -> Shape:
    return shape_of(row_of(read_model_config(json.dumps(config)), "x"))


@pytest.mark.parametrize("family", sorted(families()))
def test_the_bytes_by_the_formula_are_those_of_the_model_that_transformers_builds(family: str) -> None:
    found = shape_of(row_of(read_model_config(config_text(family)), family))
    real = sum(t.bytes for t in tensors(family))
    assert rank_weights(found, Placement(rope_bytes=0.0)).total == pytest.approx(real, rel=0.002)


def test_a_configuration_gives_the_shape_of_the_table() -> None:
    """The table's keys are those of config.json: its rows that say everything in them must come out the same."""
    compared = 0
    for row in rows():
        if row.layer_pattern or not row.model_type or row.model_type == "starcoder2":
            continue
        keys = {
            name: getattr(row, name) for name in row.__struct_fields__ if name not in ("id", "source", "same_shape")
        }
        keys["quantization_config"] = None
        try:
            expected = shape_of(row)
        except IncompleteRowError:
            continue
        config = json.dumps({key: value for key, value in keys.items() if value not in (None, (), "")})
        found = shape_of(row_of(read_model_config(config), row.id))
        assert (found.layers, found.tied, found.vocab) == (expected.layers, expected.tied, expected.vocab), row.id
        compared += 1
    assert compared > 60


PLAIN: dict[str, object] = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 8, "vocab_size": 100,
                            "num_attention_heads": 8, "intermediate_size": 128}  # fmt: skip
PATTERNS: dict[str, tuple[dict[str, object], str]] = {
    "no window": ({}, ""),
    "a window in all layers": ({"sliding_window": 4096}, "SSSSSSSS"),
    "a window that is switched off": ({"sliding_window": 4096, "use_sliding_window": False}, ""),
    "Qwen's window, written down only": ({"model_type": "qwen2", "sliding_window": 4096, "max_window_layers": 4}, ""),
    "Qwen's window, switched on": (
        {"model_type": "qwen2", "sliding_window": 4096, "use_sliding_window": True, "max_window_layers": 4},
        "FFFFSSSS",
    ),
    "listed": ({"layer_types": ["sliding_attention", "full_attention"] * 4, "sliding_window": 9}, "SFSFSFSF"),
    "a repeated group": ({"block_types": ["recurrent", "attention"]}, "mFmFmFmF"),
    "Gemma 2": ({"model_type": "gemma2", "sliding_window": 9}, "SFSFSFSF"),
    "Gemma 3": ({"model_type": "gemma3_text", "sliding_window": 9}, "SSSSSFSS"),
    "EXAONE 4": ({"sliding_window": 9, "sliding_window_pattern": "LLLG"}, "SSSFSSSF"),
    "Llama 4": ({"attention_chunk_size": 8192}, "CCCFCCCF"),
    "Llama 4, listed": ({"attention_chunk_size": 8192, "no_rope_layers": [1, 0] * 4}, "CFCFCFCF"),
    "Qwen3-Next": ({"model_type": "qwen3_next"}, "LLLFLLLF"),
    "Qwen3.5": ({"full_attention_interval": 2}, "LFLFLFLF"),
    "Kimi Linear": ({"linear_attn_config": {"full_attn_layers": [4, 8], "num_heads": 8}}, "LLLFLLLF"),
    "MiniMax-01": ({"attn_type_list": [0, 0, 0, 1, 0, 0, 0, 1]}, "LLLFLLLF"),
    "MiMo V2": ({"hybrid_layer_pattern": [0, 1, 1, 1, 0, 1, 1, 1], "sliding_window": 9}, "FSSSFSSS"),
    "Nemotron-H": ({"model_type": "nemotron_h", "hybrid_override_pattern": "M-M*EM-M"}, "M-M*EM-M"),
    "Jamba": ({"attn_layer_period": 4, "attn_layer_offset": 2}, "mmFmmmFm"),
    "Bamba": ({"model_type": "bamba", "attn_layer_indices": [3]}, "mmmFmmmm"),
    "Granite 4 as transformers 5 writes it": (
        {"model_type": "granitemoehybrid", "mamba_n_heads": 8, "layer_types": ["linear_attention"] * 7 + ["attention"]},
        "mmmmmmmF",
    ),
    "Granite 4": ({"model_type": "granitemoehybrid", "layer_types": ["mamba"] * 7 + ["attention"]}, "mmmmmmmF"),
    "Llama 3.2 Vision": ({"cross_attention_layers": [3, 7]}, "FFFXFFFX"),
    "DeepSeek V4": ({"model_type": "deepseek_v4", "compress_ratios": [0, 0, 4, 128] * 2}, "WWchWWch"),
    "a list that is too short": ({"layer_types": ["sliding_attention"] * 3}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "pattern"), PATTERNS.values(), ids=PATTERNS)
def test_layers_are_told_apart_in_every_spelling(keys: dict[str, object], pattern: str) -> None:
    assert row_of(read_model_config(json.dumps({**PLAIN, **keys})), "x").layer_pattern == pattern


EXPERTS: dict[str, tuple[dict[str, object], tuple[int | None, ...]]] = {
    "Mixtral": ({"num_local_experts": 8, "num_experts_per_tok": 2}, (8, 2, 128, 128, None, None)),
    "DeepSeek": ({"n_routed_experts": 256, "num_experts_per_tok": 8, "moe_intermediate_size": 32, "n_shared_experts": 1,
                  "first_k_dense_replace": 3}, (256, 8, 32, 128, 3, None)),
    "Qwen3": ({"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 32, "decoder_sparse_step": 2},
              (128, 8, 32, 128, None, 2)),
    "Llama 4": ({"model_type": "llama4_text", "num_local_experts": 16, "num_experts_per_tok": 1,
                 "intermediate_size_mlp": 256, "interleave_moe_layer_step": 1}, (16, 1, 128, 256, None, 1)),
    "DBRX": ({"ffn_config": {"moe_num_experts": 16, "moe_top_k": 4, "ffn_hidden_size": 96}},
             (16, 4, 96, 128, None, None)),
    "GLM, by layer": ({"n_routed_experts": 8, "mlp_layer_types": ["dense", "dense", "sparse"]},
                      (8, None, 128, 128, 2, None)),
    "by frequency": ({"n_routed_experts": 8, "moe_layer_freq": [0, 1, 1, 1]}, (8, None, 128, 128, 1, None)),
    "one expert is none": ({"num_experts": 1}, (None, None, None, 128, None, None)),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "expected"), EXPERTS.values(), ids=EXPERTS)
def test_experts_are_found_in_every_spelling(keys: dict[str, object], expected: tuple[int | None, ...]) -> None:
    row = row_of(read_model_config(json.dumps({**PLAIN, **keys})), "x")
    found = (row.num_experts, row.num_experts_per_tok, row.moe_intermediate_size, row.intermediate_size)
    assert (*found, row.first_k_dense_replace, row.moe_layer_step) == expected


def test_old_falcon_has_one_kv_head_whatever_it_writes() -> None:
    config = {**PLAIN, "model_type": "falcon", "multi_query": True, "num_kv_heads": 8, "num_attention_heads": 8}
    assert row_of(read_model_config(json.dumps(config)), "x").num_key_value_heads == 1
    config["new_decoder_architecture"] = True
    assert row_of(read_model_config(json.dumps(config)), "x").num_key_value_heads == 8


def test_nemotron_nas_has_widths_of_its_own_in_every_layer() -> None:
    blocks = [{"attention": {"n_heads_in_group": 4}, "ffn": {"ffn_mult": 3.0}},
              {"attention": {"no_op": True}, "ffn": {"ffn_mult": 1.5}}] * 4  # fmt: skip
    row = row_of(read_model_config(json.dumps({**PLAIN, "hidden_size": 1024, "block_configs": blocks})), "x")
    assert row.intermediate_sizes == (2048, 1024) * 4
    assert row.num_key_value_heads == 2


def test_the_outer_configuration_decides_whether_embeddings_are_shared() -> None:
    inner = {**PLAIN, "tie_word_embeddings": False}
    assert shape({"tie_word_embeddings": True, "text_config": inner}).tied
    assert not shape({"text_config": inner}).tied
    assert shape({**PLAIN, "model_type": "gemma"}).tied


def test_what_gives_no_shape_says_what_is_missing() -> None:
    with pytest.raises(IncompleteRowError, match=r"num_hidden_layers.*vocab_size"):
        shape({"hidden_size": 64})


@settings(deadline=None, max_examples=200)
@given(values, values, values)
def test_any_values_make_a_row(first: object, second: object, third: object) -> None:
    keys = [*PLAIN, "layer_types", "block_configs", "sliding_window", "num_experts", "linear_attn_config", "ffn_config",
            "vision_config", "quantization_config", "moe_layer_freq", "sliding_window_pattern"]  # fmt: skip
    for shift in range(0, len(keys), 3):
        turned = keys[shift:] + keys[:shift]
        row_of(read_model_config(json.dumps(dict(zip(turned, [first, second, third] * 6, strict=False)))), "x")
