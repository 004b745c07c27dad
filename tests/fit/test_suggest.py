"""Suggestions: each works, is computed again, and costs no more than it has to."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import Question
from gpudoctor.fit.suggest import Suggestion, suggest
from tests.fit.cases import card, question

CASES: list[tuple[str, dict[str, Any]]] = [
    ("meta-llama/Llama-3.1-70B-Instruct", {"gpu": "RTX 4090", "tp": 2}),
    ("meta-llama/Llama-3.1-70B-Instruct", {"gpu": "RTX 4090", "tp": 4, "max_model_len": 8192}),
    ("Qwen/Qwen3-32B", {"version": (0, 11), "max_model_len": 32000}),
    ("Qwen/Qwen2.5-14B", {"gpu": "RTX 3090", "tp": 3}),
    ("meta-llama/Llama-3.1-8B", {"gpus": 2, "tp": 4}),
    ("meta-llama/Llama-3.1-70B-Instruct", {"engine": "sglang", "tp": 2, "mem_fraction": 0.7}),
    ("meta-llama/Llama-3.1-70B", {"engine": "llamacpp", "gpu": "RTX 3090", "gpus": 2, "max_model_len": 8192}),
    ("google/gemma-3-27b-it", {"engine": "exllamav3", "quant": "exl3:5.0", "gpu": "RTX 4090", "max_model_len": 65536}),
    ("Qwen/Qwen2.5-72B-Instruct-AWQ", {"engine": "tgi", "gpu": "A10G", "tp": 2, "max_model_len": 16384}),
    ("deepseek-ai/DeepSeek-R1", {"tp": 8}),
]  # fmt: skip


def suggestions(asked: Question) -> list[Suggestion]:
    return suggest(asked, predict(asked))


@pytest.mark.parametrize(("model", "options"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_every_suggestion_fits_when_computed_again(model: str, options: dict[str, Any]) -> None:
    asked = question(model, **options)
    found = suggestions(asked)
    assert found
    assert len(found) <= 5
    for one in found:
        assert predict(one.question).fits, one.change
        assert one.question != asked
        assert one.loses


def test_nothing_is_suggested_where_it_fits() -> None:
    assert suggestions(question("meta-llama/Llama-3.1-8B")) == []


def test_what_costs_nothing_comes_before_what_costs_context_bits_or_money() -> None:
    found = suggestions(question("Qwen/Qwen3-32B", version=(0, 11), max_model_len=32000))
    assert found[0].change == "--max-num-seqs 64"
    order = [one.loses for one in found]
    assert order.index("requests served at a time") < next(i for i, loses in enumerate(order) if "context" in loses)


def test_the_context_is_the_longest_that_fits() -> None:
    asked = question("Qwen/Qwen3-32B", version=(0, 11), max_model_len=32000)
    one = next(one for one in suggestions(asked) if one.change.startswith("--max-model-len"))
    length = one.question.max_model_len or 0
    assert not predict(replace(one.question, max_model_len=length + 512)).fits


def test_free_cards_of_the_machine_are_named() -> None:
    cards = (card(79, 10, 0), card(79, 12, 1), card(79, 78, 2), card(79, 78, 3))
    asked = replace(question("meta-llama/Llama-3.1-8B", tp=2, max_model_len=8192), cards=cards)
    first = suggestions(asked)[0]
    assert first.change == "use GPU 2,3: CUDA_VISIBLE_DEVICES=2,3"
    assert first.loses == "nothing"


def test_a_share_of_what_others_leave() -> None:
    asked = replace(question("meta-llama/Llama-3.2-1B", max_model_len=4096), cards=(card(79, 40, 0),))
    one = suggestions(asked)[0]
    assert one.change == "--gpu-memory-utilization 0.49"
    assert dict(one.flags) == {"gpu_memory_utilization": "0.49"}


def test_an_illegal_size_gets_legal_ones_first() -> None:
    first = suggestions(question("Qwen/Qwen2.5-14B", gpu="RTX 3090", tp=3, max_model_len=8192))[0]
    assert first.change == "TP 2"


def test_70b_in_16_bits_on_four_24_gb_cards_needs_fewer_bits_or_eight_cards() -> None:
    found = suggestions(question("meta-llama/Llama-3.1-70B-Instruct", gpu="RTX 4090", tp=4, max_model_len=8192))
    assert [one.question.packing.method for one in found if one.question.packing] == ["fp8", "awq"]
    assert found[-1].change.startswith("8 such GPUs")


def test_old_cards_are_told_what_fp8_costs_them() -> None:
    found = suggestions(question("meta-llama/Llama-3.1-70B-Instruct", gpu="RTX 3090", tp=4, max_model_len=8192))
    assert "no FP8 arithmetic" in found[0].loses
