"""Tensors by name: every family of transformers, GGUF's own list, and the packed forms."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest
from msgspec.structs import replace

from gpudoctor.fit.config_row import row_of
from gpudoctor.fit.rows import shape_of
from gpudoctor.fit.shape import Shape, TensorClass
from gpudoctor.fit.stored_tensors import inventory
from gpudoctor.fit.tensor_names import Namer
from gpudoctor.fit.tensors import Split
from gpudoctor.fit.weights import Placement, rank_weights
from gpudoctor.readers.model_config import read_model_config
from gpudoctor.readers.tensor import Tensor
from tests.fit.families import config_text, families, tensors

gguf = pytest.importorskip("gguf")


def shape(config: str) -> Shape:
    return shape_of(row_of(read_model_config(config), "x"))


@pytest.mark.parametrize("family", sorted(families()))
def test_each_class_has_the_bytes_that_the_formula_gives_it(family: str) -> None:
    if family in ("deepseek_v4", "gpt_neo", "biogpt", "vipllava"):
        pytest.skip("small things of theirs have no class of their own")
    found = shape(config_text(family))
    listed = inventory(tensors(family), found)
    by_class: dict[TensorClass, int] = {}
    for part in listed.stored:
        by_class[part.tensor_class] = by_class.get(part.tensor_class, 0) + part.bytes
    formula = rank_weights(found, Placement(rope_bytes=0.0)).classes
    assert listed.unknown_bytes <= 0.002 * listed.total_bytes
    for name in set(by_class) | set(formula):
        assert abs(by_class.get(name, 0) - formula.get(name, 0)) <= 0.003 * listed.total_bytes, name
    assert sum(by_class.values()) == pytest.approx(listed.total_bytes, abs=200)


def test_every_name_of_a_decoder_in_gguf_has_a_class() -> None:
    namer = Namer(100)
    skipped = ("enc.", "dec.", "cls", "posnet", "convnext", "dense_2", "dense_3")
    for tensor in gguf.MODEL_TENSORS[gguf.MODEL_ARCH.DEEPSEEK2] + gguf.MODEL_TENSORS[gguf.MODEL_ARCH.QWEN3NEXT]:
        name = gguf.TENSOR_NAMES[tensor].format(bid=3, xid=0) + ".weight"
        if not name.startswith(skipped) and "rot_embd" not in name:
            assert namer.look_up(name).kind is not None, name


SAVED = json.loads((Path(__file__).parent / "saved.json").read_text())["families"]


@pytest.mark.parametrize("family", SAVED)
def test_names_of_saved_checkpoints_say_what_the_formula_expects(family: str) -> None:
    """As files have them: experts one by one, towers under their own prefix, fused projections."""
    found = shape(json.dumps(SAVED[family]["config"]))
    listed = inventory([tensor(name, kind, *sizes) for name, (kind, sizes) in SAVED[family]["tensors"].items()], found)
    assert listed.unknown_bytes == 0
    by_class: dict[TensorClass, int] = {}
    for part in listed.stored:
        by_class[part.tensor_class] = by_class.get(part.tensor_class, 0) + part.bytes
    formula = rank_weights(found, Placement(rope_bytes=0.0)).classes
    for name in set(by_class) | set(formula) - {"vision"}:
        if name != "vision":  # of a tower only the files know the size
            assert abs(by_class.get(name, 0) - formula.get(name, 0)) <= 0.02 * listed.total_bytes, name


NAMES: dict[str, tuple[str | None, int | None, bool]] = {
    "model.layers.3.self_attn.q_proj.qweight": ("query", 3, True),
    "model.layers.3.self_attn.q_proj.g_idx": ("query", 3, True),
    "model.layers.3.self_attn.k_proj.weight_scale_inv": ("key_value", 3, True),
    "model.layers.3.self_attn.o_proj.weight_packed": ("attention_out", 3, True),
    "model.layers.3.self_attn.q_proj.bias": ("query", 3, False),
    "model.layers.3.mlp.down_proj.weight.quant_state.bitsandbytes__nf4": ("mlp", 3, True),
    "model.layers.3.mlp.down_proj.trellis": ("mlp", 3, True),
    "model.layers.3.mlp.down_proj.suh": ("mlp", 3, True),
    "model.layers.3.mlp.experts.gate_up_proj_blocks": ("experts", 3, True),
    "model.layers.3.mlp.experts.17.w1.weight_scale_2": ("experts", 3, True),
    "model.layers.3.mlp.gate.weight": ("router", 3, False),
    "model.layers.3.mlp.gate.e_score_correction_bias": ("router", 3, False),
    "model.layers.3.mlp.gate_proj.weight": ("mlp", 3, False),
    "model.layers.3.mlp.shared_experts.up_proj.weight": ("shared_experts", 3, False),
    "model.layers.3.mlp.shared_expert_gate.weight": ("router", 3, False),
    "model.layers.3.block_sparse_moe.gate.weight": ("router", 3, False),
    "model.layers.3.block_sparse_moe.experts.0.w2.weight": ("experts", 3, False),
    "model.layers.3.self_attn.kv_a_proj_with_mqa.weight": ("latent_down", 3, False),
    "model.layers.3.self_attn.kv_a_layernorm.weight": ("norm", 3, False),
    "model.layers.3.self_attn.kv_b_proj.weight": ("latent_up", 3, False),
    "model.layers.3.self_attn.indexer.wq_b.weight": ("indexer", 3, False),
    "model.layers.61.self_attn.q_a_proj.weight": ("mtp", None, False),
    "mtp.layers.0.mlp.experts.3.up_proj.weight": ("mtp", 0, False),
    "model.layers.3.linear_attn.in_proj_qkvz.weight": ("mixer_state", 3, False),
    "backbone.layers.3.mixer.in_proj.weight": ("mixer_state", 3, False),
    "backbone.layers.3.mixer.A_log": ("mixer_state", 3, False),
    "backbone.layers.3.mixer.q_proj.weight": ("query", 3, False),
    "transformer.h.3.attn.c_attn.weight": ("qkv", 3, False),
    "transformer.h.3.mlp.c_proj.weight": ("mlp", 3, False),
    "transformer.h.3.attn.c_proj.weight": ("attention_out", 3, False),
    "transformer.encoder.layers.3.self_attention.query_key_value.weight": ("qkv", 3, False),
    "transformer.output_layer.weight": ("lm_head", None, False),
    "model.embed_tokens.weight": ("embedding", None, False),
    "language_model.lm_head.weight": ("lm_head", None, False),
    "model.norm.weight": ("norm", None, False),
    "visual.blocks.3.attn.qkv.weight": ("vision", None, False),
    "model.visual.merger.mlp.0.weight": ("vision", None, False),
    "vision_tower.vision_model.encoder.layers.3.mlp.fc1.weight": ("vision", None, False),
    "multi_modal_projector.linear_1.weight": ("vision", None, False),
    "model.layers.99999999.mlp.up_proj.weight": ("mlp", None, False),
    "something.else": (None, None, False),
    "": (None, None, False),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_class_layer_and_whether_it_is_packed(name: str) -> None:
    found = Namer(61).look_up(name)
    assert (found.kind, None if found.kind == "mtp" else found.layer, found.packed) == (
        NAMES[name][0],
        None if NAMES[name][0] == "mtp" else NAMES[name][1],
        NAMES[name][2],
    )


LLAMA = json.dumps({"model_type": "llama", "hidden_size": 512, "num_hidden_layers": 2, "vocab_size": 1000,
                    "num_attention_heads": 8, "num_key_value_heads": 2, "intermediate_size": 1024})  # fmt: skip


def tensor(name: str, kind: str, *sizes: int) -> Tensor:
    return Tensor(name, kind, sizes, prod(sizes) * {"BF16": 2, "F16": 2, "I32": 4, "F8_E4M3": 1, "F32": 4}[kind])


def test_scales_of_packed_weights_are_packed_too() -> None:
    awq = [
        tensor("model.layers.0.mlp.up_proj.qweight", "I32", 512, 128),
        tensor("model.layers.0.mlp.up_proj.scales", "F16", 4, 1024),
        tensor("model.layers.0.mlp.up_proj.qzeros", "I32", 4, 128),
        tensor("model.layers.0.mlp.up_proj.bias", "F16", 1024),
    ]
    (part,) = inventory(awq, shape(LLAMA)).stored
    assert (part.tensor_class, part.layer) == ("mlp", 0)
    assert part.bytes == sum(t.bytes for t in awq)
    assert part.sixteen_bit_bytes == 2048


def test_a_fused_projection_is_shared_out_by_rows() -> None:
    found = inventory([tensor("model.layers.1.self_attn.qkv_proj.weight", "BF16", 768, 512)], shape(LLAMA))
    assert {(p.tensor_class, p.bytes) for p in found.stored} == {("query", 524288), ("key_value", 262144)}


def test_half_a_million_names_are_not_all_looked_at() -> None:
    """A name costs two dozen patterns; names beyond those of any network are only counted."""
    found = inventory([tensor(f"model.layers.0.mlp.x{number}y", "BF16", 1) for number in range(20_000)], shape(LLAMA))
    assert found.total_bytes == 40_000
    assert found.unknown_bytes == 2 * (20_000 - 5000)


def test_a_tensor_that_is_in_two_files_counts_once() -> None:
    twice = [tensor("model.norm.weight", "BF16", 512)] * 2
    assert inventory(twice, shape(LLAMA)).total_bytes == 1024


def test_heads_and_towers_are_noticed() -> None:
    found = inventory([tensor("lm_head.weight", "BF16", 1000, 512), tensor("visual.x", "BF16", 4)], shape(LLAMA))
    assert (found.has_head, found.has_tower) == (True, True)
    assert not inventory([], shape(LLAMA)).has_head


def test_what_has_no_known_name_is_counted_on_every_rank() -> None:
    found = inventory([tensor("mystery.blob", "F32", 100)], shape(LLAMA))
    assert found.unknown_bytes == 200
    assert [(p.tensor_class, p.bytes) for p in found.stored] == [("norm", 200)]


def test_what_is_stored_in_32_bits_is_loaded_in_16_or_as_it_is() -> None:
    wide = [tensor("model.norm.weight", "F32", 512), tensor("model.layers.0.mlp.up_proj.weight", "F8_E4M3", 64)]
    loaded = inventory(wide, shape(LLAMA))
    assert {(p.tensor_class, p.bytes, p.sixteen_bit_bytes) for p in loaded.stored} == {
        ("norm", 1024, 1024),
        ("mlp", 64, 0),
    }
    kept = inventory(wide, shape(LLAMA), as_stored=True)
    assert {(p.tensor_class, p.bytes, p.sixteen_bit_bytes) for p in kept.stored} == {("norm", 2048, 0), ("mlp", 64, 0)}


def test_stored_bytes_stand_in_for_the_formula_on_each_rank() -> None:
    """Half of it on each of two ranks, but for what every rank holds."""
    found = shape(LLAMA)
    listed = inventory(
        [
            tensor("model.embed_tokens.weight", "BF16", 1024, 512),
            tensor("model.layers.0.mlp.up_proj.weight", "F32", 1024, 512),
            tensor("model.norm.weight", "BF16", 512),
        ],
        found,
    )
    exact = replace(found, stored=listed.stored)
    one, two = (rank_weights(exact, Placement(rope_bytes=0.0, split=Split(tp=tp))).classes for tp in (1, 2))
    assert (one["mlp"], two["mlp"]) == (1048576, 524288)
    assert (one["embedding"], two["embedding"]) == (1048576, 524288)
    assert one["norm"] == two["norm"]
    wide = rank_weights(exact, Placement(rope_bytes=0.0, plain_bytes=4.0)).classes
    assert wide["mlp"] == 2097152
