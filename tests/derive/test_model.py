"""Names to rows, rows to bytes and legal sizes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gpudoctor.data.models import rows
from gpudoctor.derive.model import derive_model
from gpudoctor.fit.names import resolve
from gpudoctor.model.fact import known
from gpudoctor.model.facts import ModelShape, Workload

GIB = 1 << 30


def shape(
    model: str, *, visible: int | None = None, memory: int | None = None, config: str | None = None, **given_: object
) -> ModelShape:
    facts = {name: known(value, "flag") for name, value in given_.items()}
    if config is not None:
        facts["model_config"] = known(config, "config.json")
    return derive_model(replace(Workload(model=known(model, "flag")), **facts), visible, memory)


NAMES = [
    ("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B", "exact"),
    ("qwen/qwen2.5-7b", "Qwen/Qwen2.5-7B", "exact"),
    ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B", "relative"),
    ("meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Meta-Llama-3.1-70B", "relative"),
    ("hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "meta-llama/Meta-Llama-3.1-70B", "relative"),
    ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "meta-llama/Meta-Llama-3.1-8B", "relative"),
    ("TheBloke/Llama-2-70B-Chat-GPTQ", "meta-llama/Llama-2-70b-hf", "relative"),
    ("TheBloke/Mixtral-8x7B-Instruct-v0.1-AWQ", "mistralai/Mixtral-8x7B-v0.1", "relative"),
    ("NousResearch/Hermes-3-Llama-3.1-70B", "meta-llama/Meta-Llama-3.1-70B", "relative"),
    ("deepseek-ai/DeepSeek-V3-0324", "deepseek-ai/DeepSeek-V3", "relative"),
    ("deepseek-ai/DeepSeek-V3.1", "deepseek-ai/DeepSeek-V3", "relative"),
    ("Qwen/Qwen2.5-Coder-7B-Instruct", "Qwen/Qwen2.5-7B", "relative"),
    ("lmsys/vicuna-13b-v1.5", "huggyllama/llama-13b", "relative"),
    ("mistralai/Mistral-7B-Instruct-v0.2", "mistralai/Mistral-7B-v0.1", "relative"),
    ("mistralai/Mistral-Large-Instruct-2411", "mistralai/Mistral-Large-Instruct-2411", "exact"),
    ("/data/models/Qwen2-7B-Instruct-AWQ/", "Qwen/Qwen2-7B", "relative"),
    (
        "/data/hub/models--meta-llama--Llama-3.3-70B-Instruct/snapshots/abc",
        "meta-llama/Llama-3.3-70B-Instruct",
        "exact",
    ),
    ("llama3.1:70b", "meta-llama/Meta-Llama-3.1-70B", "relative"),
    ("qwen2.5:72b-instruct-q4_K_M", "Qwen/Qwen2.5-72B", "relative"),
    ("bartowski/Meta-Llama-3.1-70B-Instruct-GGUF:Q4_K_M", "meta-llama/Meta-Llama-3.1-70B", "relative"),
    ("/m/Llama-3.3-70B-Instruct-Q4_K_M-00001-of-00002.gguf", "meta-llama/Llama-3.3-70B-Instruct", "relative"),
]


@pytest.mark.parametrize(("name", "row", "by"), NAMES, ids=[n[0] for n in NAMES])
def test_a_name_finds_its_row(name: str, row: str, by: str) -> None:
    found = shape(name)
    assert (found.id.or_none(), found.resolved_by.or_none()) == (row, by)


@pytest.mark.parametrize(
    "name",
    [
        "gpt2", "x", "/model", "", "deepseek-r1:70b", "OpenGVLab/InternVL3-78B",
        "yuhuili/EAGLE-LLaMA3.1-Instruct-8B",
        "llava-hf/llava-v1.6-34b-hf", "me/Llama-3.1-8B-pruned", "me/Llama-3.1-8B-2x8B-MoE", "llama",
        "me/Llama-3.1", "org/70B", "mistral", "Qwen/Qwen9-7B", "x" * 10_000,
    ],
)  # fmt: skip
def test_a_name_without_a_certain_row_stays_unknown(name: str) -> None:
    found = shape(name)
    assert not found.id.known
    assert found.id.detail == "model not in the table"
    assert not found.legal_tp.known


def test_every_row_finds_itself() -> None:
    for row in rows():
        match = resolve(row.id)
        assert match is not None
        assert match.by == "exact"
        assert match.row.num_attention_heads == row.num_attention_heads


WEIGHTS = [  # GiB at TP 1, as engines report them after loading
    ("meta-llama/Llama-3.1-8B", 14.96), ("meta-llama/Llama-3.1-70B", 131.4), ("meta-llama/Llama-3.1-405B", 756.0),
    ("x/Llama-3.1-70B-FP8", 67.7), ("x/Llama-3.1-70B-AWQ", 37.1), ("x/Qwen2.5-7B-Instruct-AWQ", 5.2),
    ("mistralai/Mixtral-8x7B-v0.1", 87.0), ("x/Mixtral-8x22B-v0.1-AWQ", 68.6), ("Qwen/Qwen2.5-72B", 135.5),
    ("x/Qwen2.5-32B-GPTQ", 18.0), ("x/Meta-Llama-3-70B-GGUF:Q4_K_M", 39.6), ("google/gemma-2-27b", 50.7),
]  # fmt: skip


@pytest.mark.parametrize(("name", "gib"), WEIGHTS, ids=[w[0] for w in WEIGHTS])
def test_weights_are_counted(name: str, gib: float) -> None:
    assert (shape(name).weights_bytes.or_none() or 0) / GIB == pytest.approx(gib, rel=0.006, abs=0.06)


def test_weights_per_gpu_are_divided_by_tp_and_pp() -> None:
    found = shape("meta-llama/Llama-3.1-70B", tp=4, pp=2)
    total = found.weights_bytes.or_none() or 0
    assert found.weights_bytes_per_gpu.or_none() == -(-total // 8)
    assert shape("meta-llama/Llama-3.1-70B").weights_bytes_per_gpu.absent == "not_provided"


FORMATS = [
    ("x/Llama-3.1-8B", {}, "none"),
    ("x/Llama-3.1-8B", {"quantization": "fp8"}, "fp8"),
    ("x/Llama-3.1-8B-AWQ", {"quantization": "awq_marlin"}, "awq"),
    ("x/Llama-3.1-8B-AWQ", {"quantization": "compressed-tensors"}, "awq"),
    ("x/Llama-3.1-8B", {"quantization": "exl2:4.65"}, "exl2:4.65"),
    ("x/Llama-3.1-8B-exl2-4.65bpw", {}, "exl2:4.65"),
    ("x/Llama-3.1-8B", {"quantization": "gguf:Q4_K_M"}, "gguf:Q4_K_M"),
    ("x/Llama-3.1-8B-GGUF", {}, "gguf"),
    ("llama3.1:8b", {"framework": "ollama"}, "gguf"),
    ("openai/gpt-oss-120b", {}, "mxfp4"),
    ("unsloth/gpt-oss-20b-BF16", {}, "none"),
    ("deepseek-ai/DeepSeek-R1-0528", {}, "fp8"),
    ("nvidia/DeepSeek-V3.1-NVFP4", {}, "nvfp4"),
    ("x/Llama-3.1-8B", {"quantization": "brandnew"}, "brandnew"),
]


@pytest.mark.parametrize(("name", "given_", "expected"), FORMATS, ids=[f"{f[0]} {f[1]}" for f in FORMATS])
def test_storage_is_read_from_option_checkpoint_and_name(name: str, given_: dict[str, Any], expected: str) -> None:
    assert shape(name, **given_).quantization.or_none() == expected


def test_storage_that_cannot_be_counted_gives_no_weights() -> None:
    assert not shape("x/Llama-3.1-8B-GGUF").weights_bytes.known
    assert not shape("x/Llama-3.1-8B", quantization="brandnew").bits_per_weight.known
    only_quantised_is_known = shape("moonshotai/Kimi-K2.6")
    assert not only_quantised_is_known.quantization.known
    assert only_quantised_is_known.attention_heads.known


TP = (1, 2, 4, 5, 8, 16)
LEGAL = [
    ("meta-llama/Llama-2-7b-hf", "none", (1, 2, 4, 8, 16)), ("meta-llama/Llama-2-7b-hf", "awq", (1, 2)),
    ("meta-llama/Llama-2-13b-hf", "none", (1, 2, 4, 8)), ("meta-llama/Llama-2-13b-hf", "awq", (1, 2, 4)),
    ("meta-llama/Llama-3.1-70B", "awq", (1, 2, 4, 8, 16)), ("meta-llama/Llama-3.2-3B", "none", (1, 2, 4, 8)),
    ("Qwen/Qwen2.5-0.5B", "none", (1, 2)), ("Qwen/Qwen2.5-0.5B", "awq", (1,)), ("Qwen/Qwen2.5-1.5B", "none", (1, 2, 4)),
    ("Qwen/Qwen2.5-7B", "none", (1, 2, 4)), ("Qwen/Qwen2.5-7B", "awq", (1, 2, 4)),
    ("Qwen/Qwen2.5-14B", "none", (1, 2, 4, 8)),
    ("Qwen/Qwen2.5-14B", "awq", (1, 2, 4)), ("Qwen/Qwen2.5-72B", "none", (1, 2, 4, 8, 16)),
    ("Qwen/Qwen2.5-72B-Instruct-AWQ", "awq", (1, 2, 4, 8)), ("Qwen/Qwen3-4B", "awq", (1, 2, 4)),
    ("Qwen/Qwen3-32B", "awq", (1, 2, 4, 8)), ("Qwen/Qwen3-32B-FP8", None, (1, 2, 4, 8)),
    ("Qwen/Qwen3-30B-A3B", "none", (1, 2, 4, 8, 16)), ("Qwen/Qwen3-30B-A3B-FP8", None, (1, 2)),
    ("Qwen/Qwen3-235B-A22B", "awq", (1, 2, 4)), ("google/gemma-3-12b-it", "awq", (1, 2, 4, 8)),
    ("microsoft/phi-4", "none", (1, 2, 5)), ("deepseek-ai/DeepSeek-V3", None, (1, 2, 4, 8, 16)),
    ("tiiuae/falcon-7b", "none", (1,)), ("tiiuae/falcon-180B", "none", (1, 2, 4, 8)),
    ("01-ai/Yi-34B", "none", (1, 2, 4, 8)), ("huggyllama/llama-30b", "none", (1, 2, 4)),
    ("openai/gpt-oss-120b", None, (1, 2, 4, 8, 16)), ("Qwen/Qwen1.5-14B-Chat", "gptq", (1,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "quant", "sizes"), LEGAL, ids=[f"{m[0]} {m[1]}" for m in LEGAL])
def test_legal_tp_sizes(name: str, quant: str | None, sizes: tuple[int, ...]) -> None:
    found = shape(name, quantization=quant) if quant else shape(name)
    legal = found.legal_tp.or_none()
    assert legal is not None
    assert tuple(tp for tp in legal if tp in TP) == sizes
    assert max(legal) <= 64


BECAUSE = [
    ("huggyllama/llama-30b", {"tp": 8}, "its 52 attention heads do not divide by 8"),
    ("microsoft/phi-4", {"tp": 4}, "its 10 KV heads"),
    ("THUDM/glm-4-9b-chat", {"tp": 4, "framework": "tgi"}, "TGI needs its 2 KV heads to divide by 4"),
    ("Qwen/Qwen1.5-14B-Chat", {"tp": 2, "quantization": "gptq"}, "no whole number of gptq-4bit groups of 128"),
    ("deepseek-ai/DeepSeek-V3", {"tp": 32}, "576 wide, which is no multiple of the FP8 block of 128"),
]


@pytest.mark.parametrize(("name", "given_", "part"), BECAUSE, ids=[b[0] for b in BECAUSE])
def test_an_illegal_size_says_why(name: str, given_: dict[str, Any], part: str) -> None:
    assert part in (shape(name, **given_).illegal_because.or_none() or "")


def test_a_legal_size_has_no_reason_against_it() -> None:
    assert shape("THUDM/glm-4-9b-chat", tp=4).illegal_because.absent == "not_applicable"


def test_layer_splitting_engines_have_no_legal_sizes() -> None:
    assert shape("google/gemma-2-9b", framework="llamacpp", tp=3).legal_tp.absent == "not_applicable"
    assert shape("google/gemma-2-9b", framework="exllamav2").legal_tp.absent == "not_provided"


def test_four_bit_weights_are_counted_for_the_tp_size_that_the_gpus_allow() -> None:
    found = shape("meta-llama/Llama-3.1-70B", visible=3, memory=24 * GIB, tp=3)
    assert (found.weights_bytes_per_gpu_4bit.or_none() or 0) / GIB == pytest.approx(18.5, abs=0.1)
    assert found.fits_with_4bit.or_none() is True
    assert shape("meta-llama/Llama-3.1-70B", visible=2, memory=16 * GIB).fits_with_4bit.or_none() is False
    assert not shape("meta-llama/Llama-3.1-70B", visible=2).fits_with_4bit.known


LLAMA_8B = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "tie_word_embeddings": False,
}  # fmt: skip


def test_a_local_config_gives_the_shape() -> None:
    found = shape("/models/mine", config=json.dumps(LLAMA_8B), tp=3)
    assert found.resolved_by.or_none() == "config"
    assert found.parameters.or_none() == 8_030_261_248
    assert found.illegal_because.or_none() == "its 32 attention heads do not divide by 3"


def test_a_local_config_tells_its_quantisation() -> None:
    awq = {"quant_method": "awq", "bits": 4, "group_size": 64}
    found = shape("/models/mine", config=json.dumps({**LLAMA_8B, "quantization_config": awq}))
    assert (found.quantization.or_none(), found.quantization_group_size.or_none()) == ("awq", 64)
    packed = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 128}}},
    }
    found = shape("/models/mine", config=json.dumps({**LLAMA_8B, "quantization_config": packed}))
    assert found.bits_per_weight.or_none() == pytest.approx(5.7, abs=0.1)


def test_a_nested_text_config_is_read() -> None:
    config = {"model_type": "mistral3", "text_config": {**LLAMA_8B, "model_type": "mistral"}, "vision_config": {}}
    assert shape("/models/mine", config=json.dumps(config)).attention_heads.or_none() == 32


def test_counting_agrees_with_known_totals() -> None:
    mla = {
        "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
        "num_key_value_heads": 128, "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256,
        "n_shared_experts": 1, "first_k_dense_replace": 3, "kv_lora_rank": 512, "q_lora_rank": 1536, "v_head_dim": 128,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "vocab_size": 129280, "tie_word_embeddings": False,
    }  # fmt: skip
    assert shape("/models/x", config=json.dumps(mla)).parameters.or_none() == pytest.approx(671_026_279_424, rel=1e-4)


HOSTILE = [
    "", "[]", "null", "{", '"x"', "[" * 100_000, "{}", '{"text_config": []}', "\ud800",
    '{"num_attention_heads": "32"}', '{"num_attention_heads": -1}', '{"num_attention_heads": 1e400}',
    '{"num_attention_heads": true}',
]  # fmt: skip


@pytest.mark.parametrize("config", HOSTILE, ids=range(len(HOSTILE)))
def test_a_config_without_a_shape_falls_back_to_the_name(config: str) -> None:
    assert not shape("/models/mine", config=config).id.known
    assert shape("/models/Llama-3.1-8B", config=config).resolved_by.or_none() == "relative"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*LLAMA_8B, "quantization_config", "text_config", "num_local_experts"]), JSON))
def test_any_config_is_read_without_an_error(config: dict[str, object]) -> None:
    found = shape("/models/mine", config=json.dumps({**LLAMA_8B, **config}), tp=2, visible=2, memory=GIB)
    assert all(fact.known or fact.absent for fact in (getattr(found, n) for n in ModelShape.__struct_fields__))
