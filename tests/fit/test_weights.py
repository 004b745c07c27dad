"""Bytes of weights: counted by hand, as logs print them, and what must hold for every model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.data.models import rows
from gpudoctor.fit.packing import usual
from gpudoctor.fit.rows import shape_of
from gpudoctor.fit.shape import Attention, Dense, Experts, Shape, Stored, Tower
from gpudoctor.fit.stages import pipeline
from gpudoctor.fit.tensors import Split, parameters
from gpudoctor.fit.weights import ExpertPadding, Placement, rank_weights
from tests.fit.cases import EXPERTS, GIB, LATENT, ask, tiny

SHAPES = {row.id: shape_of(row) for row in rows()}


def held(shape: Shape, tp: int = 1, ep: int = 1) -> int:
    return rank_weights(shape, Placement(split=Split(tp, ep))).total


def test_a_dense_model_by_hand() -> None:
    attention = 64 * (4 + 2 + 2) * 16 + 64 * 64
    layer = attention + 3 * 64 * 256 + 2 * 64
    everything = 2 * layer + 2 * 128 * 64 + 64
    assert parameters(tiny()) == everything
    assert held(tiny()) == 2 * everything


def test_a_rank_of_two_by_hand() -> None:
    attention = 64 * (2 + 1 + 1) * 16 + 64 * 32
    layer = attention + 3 * 64 * 128 + 2 * 64
    assert held(tiny(), tp=2) == 2 * (2 * layer + 2 * 64 * 64 + 64)


def test_kv_heads_are_copied_once_there_are_more_ranks_than_heads() -> None:
    found = [rank_weights(tiny(), Placement(split=Split(tp))).classes["key_value"] for tp in (1, 2, 4)]
    assert found == [2 * 2 * 64 * 64, 2 * 2 * 64 * 32, 2 * 2 * 64 * 32]


def test_a_tied_model_has_one_embedding() -> None:
    assert held(tiny()) - held(tiny(tied=True)) == 2 * 128 * 64


def test_the_vocabulary_is_padded_to_64() -> None:
    assert held(tiny(vocab=65)) == held(tiny(vocab=128))


def test_latent_attention_by_hand() -> None:
    down = (24 + 32 + 8) * 64
    up = 4 * 24 * 24 + 4 * 32 * 32
    layer = down + up + 64 * 64 + 24 + 32
    dense = 3 * 64 * 256 + 2 * 64
    assert parameters(tiny(LATENT)) == 2 * (layer + dense) + 2 * 128 * 64 + 64


def test_the_way_down_into_latents_is_on_every_rank() -> None:
    found = [rank_weights(tiny(LATENT), Placement(split=Split(tp))).classes["latent_down"] for tp in (1, 4)]
    assert found[0] == found[1]


def test_experts_by_width_and_whole_take_the_same() -> None:
    by_width = rank_weights(tiny(part=EXPERTS), Placement(split=Split(4, 1)))
    whole = rank_weights(tiny(part=EXPERTS), Placement(split=Split(4, 4)))
    assert by_width.classes["experts"] == whole.classes["experts"] == 2 * 2 * 8 * 3 * 64 * 128 // 4
    assert by_width.classes["router"] == 2 * 2 * 8 * 64


def test_a_router_a_norm_and_a_projector_are_on_every_rank() -> None:
    tower = Tower(parameters=1000, projector_parameters=200, heads=4)
    from msgspec.structs import replace

    shape = replace(tiny(part=EXPERTS), tower=tower)
    one, four = (rank_weights(shape, Placement(split=Split(tp))).classes for tp in (1, 4))
    assert (one["router"], one["norm"]) == (four["router"], four["norm"])
    assert (one["vision"], four["vision"]) == (2000, 2 * (200 + 200))


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("meta-llama/Meta-Llama-3.1-8B", 8.030), ("meta-llama/Meta-Llama-3.1-70B", 70.554),
        ("meta-llama/Meta-Llama-3.1-405B", 405.85), ("deepseek-ai/DeepSeek-V3", 671.03),
        ("moonshotai/Kimi-K2-Instruct", 1026.4), ("openai/gpt-oss-120b", 116.83), ("Qwen/Qwen3-235B-A22B", 235.1),
        ("databricks/dbrx-instruct", 131.6), ("mistralai/Mixtral-8x7B-v0.1", 46.70), ("zai-org/GLM-5", 743.9),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 31.58), ("Qwen/Qwen3.5-397B-A17B", 396.3),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", 49.87), ("deepseek-ai/DeepSeek-V4-Flash", 284.3),
        ("bigscience/bloom", 176.2), ("facebook/opt-30b", 29.97), ("microsoft/phi-4", 14.66),
    ],
)  # fmt: skip
def test_published_parameter_counts(name: str, billions: float) -> None:
    assert parameters(SHAPES[name]) / 1e9 == pytest.approx(billions, rel=1e-3)


def test_every_row_with_a_count_agrees_with_its_layers() -> None:
    for row in rows():
        if row.total_params_computed:
            assert parameters(SHAPES[row.id]) == pytest.approx(row.total_params_computed, rel=1e-3), row.id


# "Loading model weights took" and "Model loading took", to the last digit that the logs print.
LOGS = [
    ("meta-llama/Meta-Llama-3-8B", {}, 14.9595),
    ("meta-llama/Llama-3.1-8B-Instruct", {}, 14.9888),
    ("Qwen/Qwen2.5-32B-Instruct", {"tp": 2}, 30.7098),  # 192 MiB more than its tensors: the allocator's rounding
    ("Qwen/Qwen2.5-7B-Instruct", {}, 14.2487),
    ("google/gemma-3-1b-it", {}, 1.9147),
    ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", {}, 44.76),
    ("Qwen/Qwen2.5-7B-Instruct-1M", {"quant": "bnb-nf4"}, 5.43),  # 0.24 GiB of it is the rotary table
    ("RedHatAI/Meta-Llama-3.1-70B-Instruct-FP8", {}, 67.72),
]


@pytest.mark.parametrize(("model", "options", "printed"), LOGS, ids=[log[0] for log in LOGS])
def test_weights_are_what_vllm_prints(model: str, options: dict[str, object], printed: float) -> None:
    found = ask(model, gpus=2, version=(0, 11), **options)
    assert found.worst.weights / GIB == pytest.approx(printed, rel=2e-3)


def test_mxfp4_experts_are_padded_as_the_kernels_of_each_generation_want_it() -> None:
    hopper, ampere = (
        ask("openai/gpt-oss-120b", gpu=gpu, version=(0, 11)).worst.weights / GIB for gpu in ("H100 80GB", "A100 80GB")
    )
    assert hopper == pytest.approx(64.38, rel=1e-3)
    assert ampere == pytest.approx(65.97, rel=1e-3)


def test_sglang_counts_what_the_driver_sees_gone() -> None:
    assert ask("Qwen/Qwen2.5-0.5B-Instruct", engine="sglang").worst.weights / GIB == pytest.approx(0.98, abs=0.005)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_more_ranks_never_hold_more(name: str) -> None:
    shape = SHAPES[name]
    sizes = [held(shape, tp) for tp in (1, 2, 4, 8, 16)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_pipeline_stages_add_up_to_the_whole(name: str) -> None:
    shape = SHAPES[name]
    for stages in (2, 3, 4):
        spans = pipeline(shape.depth, stages)
        parts = [
            rank_weights(shape, Placement(layers=span, embedding=i == 0, head=i == stages - 1)).total
            for i, span in enumerate(spans)
        ]
        copy = 2 * -(-shape.vocab // 64) * 64 * shape.hidden if shape.tied else 0
        assert sum(parts) == held(shape) + copy
        assert spans[0][0] == 0
        assert spans[-1][1] == shape.depth


@given(
    heads=st.sampled_from([8, 16, 32]),
    kv=st.sampled_from([1, 2, 8]),
    width=st.integers(64, 4096),
    count=st.sampled_from([0, 8, 64]),
    tp=st.sampled_from([1, 2, 4, 8]),
)
def test_classes_add_up_and_ranks_hold_at_least_their_share(
    heads: int, kv: int, width: int, count: int, tp: int
) -> None:
    part = Experts(count=count, active=2, width=width) if count else Dense(width=width)
    shape = tiny(Attention(heads=heads, kv_heads=kv, head_dim=16), part)
    found = rank_weights(shape, Placement(split=Split(tp)))
    assert found.total == sum(found.classes.values())
    assert found.total * tp >= held(shape)


@pytest.mark.parametrize("method", ["fp8", "int8", "awq", "gptq-4bit", "gptq-8bit", "bnb-nf4", "mxfp4", "nvfp4"])
def test_fewer_bits_take_less(method: str) -> None:
    shape = SHAPES["Qwen/Qwen3-30B-A3B"]
    assert rank_weights(shape, Placement(packing=usual(method))).total < 0.75 * held(shape)


def test_headers_win_over_the_formula() -> None:
    from msgspec.structs import replace

    shape = tiny()
    formula = rank_weights(shape, Placement()).classes
    real = tuple(Stored(tensor_class=name, bytes=size + 1000) for name, size in formula.items())
    exact = replace(shape, stored=real)
    assert held(exact) == held(shape) + 1000 * len(real)
    assert held(shape, 2) < held(exact, 2) < held(exact)


def test_headers_do_not_count_where_weights_are_quantised_while_loading() -> None:
    from msgspec.structs import replace

    exact = replace(tiny(), stored=(Stored(tensor_class="mlp", bytes=10**9),))
    assert rank_weights(exact, Placement(packing=usual("bnb-nf4"))).total < 10**6


def test_padding_of_experts_by_hand() -> None:
    shape = tiny(part=Experts(count=2, active=1, width=100))
    packing = usual("mxfp4")
    found = rank_weights(shape, Placement(packing=packing, padding=ExpertPadding(128, 1, scales=False)))
    weights = 2 * (256 * 64 // 2 + 64 * 128 // 2)
    scales = 2 * (-(-200 * 64 // 32) + -(-64 * 100 // 32))
    assert found.classes["experts"] == 2 * (weights + scales)
