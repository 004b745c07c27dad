"""Which model a name means, how its weights are stored, and what is said about it."""

from __future__ import annotations

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.fit.ask import Options, ask
from gpudoctor.fit.identify import asked_packing, close_names, identify, of_local, of_size
from gpudoctor.fit.packing import usual
from gpudoctor.fit.tensors import parameters
from tests.fit.cases import card, tiny


@pytest.mark.parametrize(
    ("name", "quant", "method"),
    [
        ("meta-llama/Meta-Llama-3.1-70B", "", None),
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "", "fp8"),
        ("hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "", "awq"),
        ("deepseek-ai/DeepSeek-R1-0528", "", "fp8"),  # as its relative stores it
        ("unsloth/DeepSeek-R1-0528-BF16", "", None),
        ("openai/gpt-oss-20b", "", "mxfp4"),
        ("Qwen/Qwen3.6-27B", "", None),  # its only row is a quantised relative
        ("meta-llama/Llama-3.1-8B", "bnb-nf4", "bnb-nf4"),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "none", None),
        ("Qwen/Qwen3-8B", "auto", None),
    ],
)
def test_storage(name: str, quant: str, method: str | None) -> None:
    found = identify(name, quant)
    assert (found.packing.method if found.packing else None) == method


def test_the_checkpoint_knows_more_of_the_method_that_is_asked_for() -> None:
    found = identify("Qwen/Qwen3-235B-A22B-FP8", "fp8")
    assert found.packing is not None
    assert found.packing.block_size == 128


def test_a_group_size_in_the_name_counts() -> None:
    found = identify("TheBloke/Llama-2-70B-GPTQ-32g")
    assert found.packing is not None
    assert found.packing.group_size == 32


def test_a_relative_is_said_to_be_one() -> None:
    found = identify("NousResearch/Hermes-3-Llama-3.1-405B")
    assert found.by == "relative"
    assert "Meta-Llama-3.1-405B" in found.notes[0]
    assert not identify("meta-llama/Meta-Llama-3.1-405B").notes


def test_an_instruct_checkpoint_states_its_own_context() -> None:
    assert identify("Qwen/Qwen2.5-7B").shape.max_positions == 131072
    assert identify("Qwen/Qwen2.5-7B-Instruct").shape.max_positions == 32768


def test_published_padding_is_taken_over() -> None:
    def width(name: str) -> int:
        part = identify(name).shape.layers[0].feed_forward
        return part.width if part else 0

    assert width("Qwen/Qwen2.5-72B-Instruct") == 29568
    assert width("Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4") == 29696


@pytest.mark.parametrize("name", ["meta-llama/Llama-3.1-71B", "Qwen/Qwen3-33B", "mistralai/Mistral-Larger"])
def test_an_unknown_id_gets_close_names(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        identify(name)
    assert "did you mean" in raised.value.hint
    assert close_names(name)


@pytest.mark.parametrize("name", ["", "x", "\x00", "a/b/c", "x" * 100_000])
def test_a_name_without_neighbours_gets_the_other_ways(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        identify(name)
    assert "--params 70b" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "count"), [("70b", 70e9), ("0.5B", 0.5e9), ("350m", 350e6), ("8 b", 8e9), ("1.2t", 1.2e12)]
)
def test_a_size_alone(text: str, count: float) -> None:
    found = of_size(text)
    assert parameters(found.shape) == pytest.approx(count, rel=0.08)
    assert "a dense model shaped like" in found.notes[0]


@pytest.mark.parametrize("text", ["", "70", "b70", "-7b", "0b", "999999t", "7b;rm", "nan"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError):
        of_size(text)


@pytest.mark.parametrize("quant", ["q9", "fancy", "gguf:Q9_X", "exl2:77"])
def test_an_unknown_quantisation_lists_the_known_ones(quant: str) -> None:
    with pytest.raises(UsageError) as raised:
        asked_packing(quant)
    assert "Q4_K_M" in raised.value.hint


def test_a_local_model_is_stored_as_its_files_say() -> None:
    from msgspec.structs import replace

    shape = replace(tiny(), packing=usual("awq"))
    assert of_local(shape).packing == usual("awq")
    assert of_local(shape, "awq").packing == usual("awq")
    assert of_local(shape, "none").packing is None


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (Options(engine="nope"), "engine"), (Options(dtype="int3"), "dtype"), (Options(kv_dtype="q99"), "KV cache"),
        (Options(split_mode="diagonal"), "split mode"), (Options(engine_version="latest"), "version"),
    ],
)  # fmt: skip
def test_values_that_no_engine_knows(options: Options, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        ask(identify("meta-llama/Llama-3.1-8B"), (card(80),), options)


def test_a_format_chooses_its_engine_and_others_cannot_read_it() -> None:
    model = identify("meta-llama/Llama-3.1-8B", "exl2:4.0")
    assert ask(model, (card(24),), Options()).question.engine == "exllamav2"
    with pytest.raises(UsageError, match="vllm cannot read exl2"):
        ask(model, (card(24),), Options(engine="vllm"))


@pytest.mark.parametrize(("model", "cards", "tp"), [
    ("meta-llama/Llama-3.2-1B", 4, 1), ("meta-llama/Llama-3.1-70B-Instruct-FP8", 8, 4), ("Qwen/Qwen2.5-14B", 3, 2),
])  # fmt: skip
def test_without_a_tp_size_the_smallest_that_fits_is_taken(model: str, cards: int, tp: int) -> None:
    asked = ask(identify(model), (card(23.6),) * cards, Options(max_model_len=8192))
    assert asked.question.tp == tp
    assert any(f"TP {tp}" in note for note in asked.notes)
