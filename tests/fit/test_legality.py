"""Which TP sizes are possible, and the rule that forbids the others."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gpudoctor.data.models import rows
from gpudoctor.fit.legality import legal_sizes, obstacles
from gpudoctor.fit.question import Question
from gpudoctor.fit.rows import shape_of
from gpudoctor.fit.shape import Packing
from tests.fit.cases import question

GROUPS = Packing(method="awq", group_size=128)
BLOCKS = Packing(method="fp8", block_size=128)
# model, packing, sizes among 1 2 4 5 8 16
SIZES = [
    ("meta-llama/Llama-2-13b-hf", None, (1, 2, 4, 5, 8)),
    ("meta-llama/Llama-2-7b-hf", GROUPS, (1, 2)),
    ("meta-llama/Meta-Llama-3.1-70B", GROUPS, (1, 2, 4, 8, 16)),
    ("meta-llama/Llama-3.2-1B", BLOCKS, (1, 2, 4)),
    ("Qwen/Qwen2.5-7B", None, (1, 2, 4)),
    ("Qwen/Qwen2.5-72B", GROUPS, (1,)),
    ("Qwen/Qwen2.5-72B", BLOCKS, (1,)),
    ("Qwen/Qwen3-235B-A22B", GROUPS, (1, 2, 4)),
    ("microsoft/phi-4", None, (1, 2, 5)),
    ("deepseek-ai/DeepSeek-V3", BLOCKS, (1, 2, 4, 8, 16)),
    ("openai/gpt-oss-120b", None, (1, 2, 4, 8, 16)),
    ("tiiuae/falcon-7b", None, (1,)),
    ("Qwen/Qwen3.5-27B", None, (1, 2, 4, 8)),
]


@pytest.mark.parametrize(("model", "packing", "sizes"), SIZES)
def test_legal_sizes(model: str, packing: Packing | None, sizes: tuple[int, ...]) -> None:
    asked = replace(question(model), packing=packing)
    found = legal_sizes(asked)
    if model == "meta-llama/Llama-2-13b-hf":  # 5 divides its 40 heads but not its MLP of 13824
        sizes = (1, 2, 4, 8)
    assert tuple(tp for tp in found if tp in (1, 2, 4, 5, 8, 16)) == sizes


@pytest.mark.parametrize(
    ("model", "engine", "tp", "packing", "rule"),
    [
        ("Qwen/Qwen2.5-14B", "vllm", 3, None, "its 40 attention heads do not divide by 3"),
        ("huggyllama/llama-30b", "vllm", 8, None, "its 52 attention heads do not divide by 8"),
        ("Qwen/Qwen2.5-72B", "vllm", 8, GROUPS, "3696 wide, which is no whole number of awq groups of 128"),
        ("deepseek-ai/DeepSeek-R1", "vllm", 32, BLOCKS, "576 wide, which is no multiple of the FP8 block of 128"),
        ("meta-llama/Meta-Llama-3.1-70B", "tgi", 16, None, "TGI needs its 8 KV heads to divide by 16"),
        ("Qwen/Qwen2.5-0.5B", "vllm", 4, None, "its 14 attention heads do not divide by 4"),
    ],
)
def test_the_exact_rule_is_named(model: str, engine: str, tp: int, packing: Packing | None, rule: str) -> None:
    asked = replace(question(model, tp=tp), engine=engine, packing=packing)
    assert any(rule in clause for clause in obstacles(asked))


def test_kv_heads_are_copied_by_vllm_where_tgi_refuses() -> None:
    model = "meta-llama/Meta-Llama-3.1-70B"
    assert 16 in legal_sizes(question(model))
    assert 16 not in legal_sizes(question(model, engine="tgi"))


def test_whole_experts_free_their_width_but_have_to_divide() -> None:
    asked = replace(question("Qwen/Qwen3-235B-A22B", tp=8), packing=GROUPS)
    assert any("expert width" in clause for clause in obstacles(asked))
    assert not list(obstacles(replace(asked, expert_parallel=True)))
    assert any("160 experts" in c for c in obstacles(question("zai-org/GLM-4.5", tp=3, expert_parallel=True)))


def test_official_padded_checkpoints_are_legal_where_the_plain_width_is_not() -> None:
    assert 8 in legal_sizes(question("Qwen/Qwen2.5-72B-Instruct-AWQ"))


def test_newer_vllm_pads_for_marlin() -> None:
    one_group = Packing(method="gptq-4bit", group_size=-1)
    old = replace(question("Qwen/Qwen2.5-72B", tp=4, version=(0, 11)), packing=one_group)
    assert any("Marlin" in clause for clause in obstacles(old))
    assert not list(obstacles(replace(old, version=(0, 24))))


@pytest.mark.parametrize("engine", ["llamacpp", "exllamav2", "exllamav3", "transformers"])
def test_whole_layers_go_to_any_number_of_cards(engine: str) -> None:
    asked = replace(question("tiiuae/falcon-7b", tp=3), engine=engine)
    assert not list(obstacles(asked))
    assert legal_sizes(asked) == tuple(range(1, 17))


def test_one_gpu_is_always_legal_and_every_row_has_a_list() -> None:
    for row in rows():
        assert legal_sizes(Question(shape=shape_of(row), cards=()))[0] == 1
