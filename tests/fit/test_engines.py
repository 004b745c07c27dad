"""Predictions against what engines printed in public logs. Figures are facts of those logs."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gpudoctor.fit.predictor import predict
from tests.fit.cases import GIB, ask, card, question

# id, model, options, GiB of cache, tokens, within
VLLM = [
    ("0.6.4 on a 3090", "meta-llama/Llama-3.1-8B-Instruct",
     {"gpu": "RTX 3090", "version": (0, 6, 4), "utilization": 0.9, "max_model_len": 20000}, 3.81, 31232, 0.02),
    ("0.7 on two L40S", "Qwen/Qwen2.5-32B-Instruct",
     {"gpu": "L40S", "version": (0, 7), "tp": 2, "utilization": 0.9, "max_model_len": 10000}, 7.71, 63152, 0.03),
    ("0.5.4 on an A100", "meta-llama/Meta-Llama-3.1-8B-Instruct",
     {"gpu": "A100 40GB", "version": (0, 5, 4), "utilization": 0.9, "max_model_len": 512}, None, 158880, 0.02),
    ("0.11 on an H100", "meta-llama/Llama-3.1-8B-Instruct",
     {"version": (0, 11), "utilization": 0.9, "max_model_len": 16000}, 51.38, None, 0.01),
    ("0.11, gpt-oss-20b", "openai/gpt-oss-20b",
     {"version": (0, 11), "utilization": 0.9, "max_model_len": 16000}, 50.28, None, 0.01),
    ("0.11, gpt-oss-120b", "openai/gpt-oss-120b",
     {"version": (0, 11), "utilization": 0.95, "max_model_len": 16000}, 3.33, None, 0.01),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "options", "cache", "tokens", "within"), [v[1:] for v in VLLM], ids=[v[0] for v in VLLM]
)
def test_vllm_leaves_what_its_logs_print(
    model: str, options: dict[str, Any], cache: float | None, tokens: int | None, within: float
) -> None:
    found = ask(model, **options)
    assert found.fits
    if cache is not None:
        assert found.worst.kv_cache / GIB == pytest.approx(cache, rel=within)
    if tokens is not None:
        assert found.kv_tokens == pytest.approx(tokens, rel=within)


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        # The same card and model: prefill is not cut into pieces below 32768, and 29,000 tokens of it take too much.
        ("meta-llama/Llama-3.1-8B-Instruct",
         {"gpu": "RTX 3090", "version": (0, 6, 4), "utilization": 0.9, "max_model_len": 29000}, "kv_cache"),
        ("RedHatAI/Llama-3.1-70B-Instruct-FP8", {"version": (0, 11), "utilization": 0.9, "max_model_len": 16000},
         "kv_cache"),
        ("Qwen/Qwen3-32B", {"version": (0, 11), "utilization": 0.9, "max_model_len": 32000}, "kv_cache"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", {"gpu": "H100 NVL", "tp": 2, "utilization": 0.99}, "weights"),
        ("deepseek-ai/DeepSeek-R1", {"version": (0, 11), "utilization": 0.9}, "weights"),
        ("google/gemma-3-1b-it", {"gpu": "A100 40GB MIG 1g.5gb", "version": (0, 10, 1)}, "kv_cache"),
        ("meta-llama/Llama-2-70b-chat-hf",
         {"gpu": "V100 32GB", "tp": 8, "version": (0, 2, 6), "utilization": 1.0, "max_model_len": 1024}, "graphs"),
    ],
)  # fmt: skip
def test_vllm_fails_where_its_logs_fail(model: str, options: dict[str, Any], kind: str) -> None:
    found = ask(model, **options)
    assert not found.fits
    assert found.limits[0].kind == kind


def test_a_longer_context_in_the_old_engine_switches_to_pieces_and_fits() -> None:
    assert (
        ask(
            "meta-llama/Llama-3.1-8B-Instruct", gpu="RTX 3090", version=(0, 6, 4), utilization=0.9, max_model_len=33000
        ).worst.activation
        < ask(
            "meta-llama/Llama-3.1-8B-Instruct", gpu="RTX 3090", version=(0, 6, 4), utilization=0.9, max_model_len=29000
        ).worst.activation
    )


def test_the_sampler_is_not_divided_by_the_tp_size() -> None:
    one, four = (ask("meta-llama/Llama-3.1-8B", version=(0, 11), tp=tp).worst.activation for tp in (1, 4))
    assert one == four == round(38.5 * 1024 * 128256)


def test_the_last_pipeline_stage_pays_for_the_sampler() -> None:
    found = ask("Qwen/Qwen3-30B-A3B", version=(0, 9, 1), tp=1, pp=2, utilization=0.9)
    first, last = found.ranks
    assert (last.activation - first.activation) / GIB > 3
    assert first.kv_cache > last.kv_cache


def test_vllm_refuses_a_card_that_others_hold() -> None:
    asked = replace(question("meta-llama/Llama-3.1-8B", version=(0, 11)), cards=(card(79.2, free_gib=40, index=3),))
    found = predict(asked)
    assert [limit.kind for limit in found.limits] == ["free_memory"]
    assert "40.0 GiB free on GPU 3" in found.limits[0].text
    assert predict(replace(asked, utilization=0.45, max_model_len=8192)).fits


def test_the_smallest_card_of_the_group_decides() -> None:
    asked = question("Qwen/Qwen2.5-14B", tp=2, max_model_len=8192)
    mixed = predict(replace(asked, cards=(card(23.6), card(15.6))))
    small = predict(replace(asked, cards=(card(15.6), card(15.6))))
    assert mixed.kv_tokens == small.kv_tokens
    assert mixed.worst.card == 1


def test_older_cards_ran_the_old_engine_until_0_11() -> None:
    old = ask("Qwen/Qwen3-8B", gpu="RTX 2080 Ti 22GB", tp=4, version=(0, 8, 5), max_model_len=8192)
    assert old.worst.activation / GIB == pytest.approx(1.45, abs=0.1)  # a log of that card says 1.45


def test_sglang_pool() -> None:
    found = ask("Qwen/Qwen3-235B-A22B-FP8", engine="sglang", tp=4, mem_fraction=0.93)
    assert found.kv_tokens == pytest.approx(367_404, rel=0.03)
    assert not ask("databricks/dbrx-instruct", engine="sglang", tp=2).fits


def test_sglang_names_the_least_fraction() -> None:
    found = ask("meta-llama/Llama-3.1-70B", engine="sglang", tp=2, mem_fraction=0.8)
    assert not found.fits
    assert "the least is 0.8" in found.limits[0].text
    assert ask("meta-llama/Llama-3.1-70B", engine="sglang", tp=2, mem_fraction=0.9).fits


def test_tgi_with_70b_in_four_bits_on_two_24_gb_cards() -> None:
    found = ask("TheBloke/Llama-2-70B-chat-GPTQ", engine="tgi", gpu="24GB", tp=2)
    assert found.fits
    assert not ask("meta-llama/Llama-2-70b-hf", engine="tgi", gpu="24GB", tp=2).fits


@pytest.mark.parametrize(
    ("model", "quant", "gpu", "count", "fits"),
    [
        ("meta-llama/Meta-Llama-3-70B", "gguf:Q4_K_M", "RTX 3090", 1, False),
        ("meta-llama/Meta-Llama-3-70B", "gguf:Q4_K_M", "RTX 4090", 2, True),
        ("meta-llama/Meta-Llama-3-70B", "gguf:F16", "RTX 3090", 4, False),
        ("meta-llama/Meta-Llama-3-70B", "gguf:F16", "RTX 3090", 6, True),
        ("meta-llama/Meta-Llama-3-70B", "gguf:F16", "RTX 5000 Ada 32GB", 4, False),
        ("meta-llama/Meta-Llama-3-8B", "gguf:F16", "RTX 4080", 1, True),
        ("meta-llama/Meta-Llama-3-8B", "gguf:F16", "RTX 3080 10GB", 1, False),
        ("meta-llama/Meta-Llama-3-70B", "gguf:Q4_K_M", "RTX A6000", 1, True),
    ],
)
def test_llama_cpp_by_layers(model: str, quant: str, gpu: str, count: int, fits: bool) -> None:
    found = ask(model, engine="llamacpp", quant=quant, gpu=gpu, gpus=count, max_model_len=8192, split_mode="layer")
    assert found.fits is fits


def test_llama_cpp_deals_layers_by_free_memory() -> None:
    asked = question("meta-llama/Meta-Llama-3-70B", engine="llamacpp", quant="gguf:Q4_K_M", max_model_len=8192)
    found = predict(replace(asked, cards=(card(24), card(48))))
    assert found.ranks[1].weights == pytest.approx(2 * found.ranks[0].weights, rel=0.1)


def test_a_row_split_has_the_cache_on_the_first_card() -> None:
    found = ask("meta-llama/Meta-Llama-3-70B", engine="llamacpp", quant="gguf:Q4_K_M", gpus=2, split_mode="row")
    assert found.ranks[0].kv_cache > 0 == found.ranks[1].kv_cache
    assert found.ranks[0].weights == found.ranks[1].weights


def test_command_r_cache_is_five_gib_at_4096() -> None:
    found = ask("CohereForAI/c4ai-command-r-v01", engine="llamacpp", quant="gguf:Q4_K_M", max_model_len=4096)
    assert found.worst.kv_cache == 5 * GIB


def test_exllama_takes_what_the_context_needs() -> None:
    short, long = (
        ask("google/gemma-3-27b-it", engine="exllamav3", quant="exl3:5.0", gpu="RTX 4090", max_model_len=length,
            kv_dtype="Q6")
        for length in (2048, 31744)
    )  # fmt: skip
    assert short.fits
    assert not long.fits
    used = short.worst.required / GIB * 1024
    assert used == pytest.approx(17404, rel=0.05)  # nvidia-smi in the author's thread


def test_transformers_needs_weights_cache_and_one_prompt() -> None:
    found = ask("Qwen/Qwen2.5-7B-Instruct", engine="transformers", gpu="A100 80GB", max_model_len=32768)
    used = (found.worst.required - found.worst.overhead) / GIB
    assert used == pytest.approx(19.97, rel=0.03)  # Qwen's own table


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tgi", "trtllm"])
def test_a_larger_share_or_more_ranks_never_hold_fewer_tokens(engine: str) -> None:
    tokens = [ask("Qwen/Qwen2.5-32B", engine=engine, tp=tp, max_model_len=4096).kv_tokens or 0 for tp in (1, 2, 4, 8)]
    assert tokens == sorted(tokens)


@pytest.mark.parametrize(
    "engine", ["vllm", "sglang", "tgi", "trtllm", "exllamav2", "exllamav3", "llamacpp", "transformers"]
)
def test_every_engine_says_no_to_405b_on_one_card_and_yes_to_1b(engine: str) -> None:
    assert not ask("meta-llama/Meta-Llama-3.1-405B", engine=engine, max_model_len=2048).fits
    assert ask("meta-llama/Llama-3.2-1B", engine=engine, max_model_len=2048).fits


def test_too_few_cards_is_a_limit_of_its_own() -> None:
    found = ask("meta-llama/Llama-3.1-8B", gpus=2, tp=4)
    assert found.limits[0].kind == "cards"
    assert found.limits[0].text == "TP 4 takes 4 GPUs, there are 2"
