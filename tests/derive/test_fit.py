"""What `check` knows of memory: the same prediction as `gpudoctor fit`, as facts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gpudoctor.derive import derive
from gpudoctor.fit.predictor import predict
from gpudoctor.logs.read import Reader
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, PythonTarget, Workload
from tests.derive.machines import machine
from tests.fit.cases import question

GIB = 1 << 30
CARD = "NVIDIA GeForce RTX 3090"


def facts(model: str, count: int = 2, **given: Any) -> Facts:
    values = {name: known(value, "flag") for name, value in {"model": model, "framework": "vllm", **given}.items()}
    return derive(machine([CARD] * count, workload=Workload(**values)))


def logged(text: str) -> Facts:
    return Reader(()).read_text(text, "run.log").facts


def test_the_prediction_is_that_of_the_fit_command() -> None:
    found = facts("Qwen/Qwen2.5-14B", tp=2, max_model_len=8192).fit
    expected = predict(question("Qwen/Qwen2.5-14B", gpu="RTX 3090", tp=2, max_model_len=8192))
    assert found.fits.or_none() is True
    assert found.kv_tokens.or_none() == expected.kv_tokens
    assert found.weights_bytes.or_none() == expected.worst.weights
    assert found.works_with_max_model_len.absent == "not_applicable"


def test_the_weights_of_a_gpu_are_what_one_rank_holds() -> None:
    found = facts("deepseek-ai/DeepSeek-V2-Lite", tp=2)
    rough = (found.model.weights_bytes.or_none() or 0) // 2
    assert (found.model.weights_bytes_per_gpu.or_none() or 0) > 1.005 * rough  # latents are on both


def test_each_option_that_helps_alone_is_a_fact() -> None:
    found = facts("Qwen/Qwen2.5-7B-Instruct", count=1, max_model_len=131072, max_num_seqs=1024).fit
    assert found.fits.or_none() is False
    assert found.limit.or_none() == "kv_cache"
    assert (found.short_bytes.or_none() or 0) > 0
    length = found.works_with_max_model_len.or_none() or 0
    assert 8192 < length < 131072
    assert predict(question("Qwen/Qwen2.5-7B-Instruct", gpu="RTX 3090", max_model_len=length, max_num_seqs=1024)).fits


def test_more_visible_gpus_are_offered() -> None:
    assert facts("Qwen/Qwen2.5-32B", count=4, tp=2, max_model_len=8192).fit.works_with_tp.or_none() == 4


def test_what_others_hold_now_is_left_to_other_rules() -> None:
    found = facts("Qwen/Qwen2.5-7B", count=2, tp=2, max_model_len=8192)
    assert [gpu.memory_free_bytes.or_none() for gpu in found.gpus.visible.or_none() or ()] == [23 * GIB, 22 * GIB]
    assert found.fit.fits.or_none() is True


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("org/unheard-of", {}),
        ("Qwen/Qwen2.5-7B", {"framework": "deepspeed"}),
        ("x/Llama-3.1-8B-GGUF", {}),
        ("Qwen/Qwen2.5-7B", {"quantization": "brandnew"}),
        ("Qwen/Qwen2.5-7B", {"quantization": "exl2:4.0"}),
    ],
)
def test_nothing_is_said_where_engine_model_or_storage_is_not_known(model: str, given: dict[str, Any]) -> None:
    assert facts(model, **given).fit.fits.absent == "not_provided"


def test_the_installed_version_counts() -> None:
    values = {"model": "meta-llama/Llama-3.1-8B-Instruct", "framework": "vllm", "max_model_len": 29000}
    raw = machine([CARD], workload=Workload(**{name: known(value, "flag") for name, value in values.items()}))  # type: ignore[arg-type]
    new, old = (
        derive(replace(raw, python=PythonTarget(vllm=known(version, "dist-info")))).fit
        for version in ("0.11.0", "0.6.4.post1")
    )
    assert (new.activation_bytes.or_none() or 0) < (old.activation_bytes.or_none() or 0)


LOGGED = [
    ("INFO Model loading took 14.9888 GiB and 5.123456 seconds", 14.9888, None),
    ("INFO Loading model weights took 7.4800 GB", 7.48, None),
    ("INFO model weights take 14.99GiB; non_torch_memory takes 0.13GiB; PyTorch activation peak memory takes 4.76GiB; "
     "the rest of the memory reserved for KV Cache is 51.38GiB.", 14.99, 51.38),
    ("Load weight end. type=Q, dtype=torch.bfloat16, avail mem=77.1 GB, mem usage=0.98 GB.", 0.98, None),
    ("INFO Available KV cache memory: -1.44 GiB", None, -1.44),
    ("INFO Model loading took 5 seconds", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "weights", "cache"), LOGGED)
def test_a_log_states_weights_and_cache(line: str, weights: float | None, cache: float | None) -> None:
    found = logged(line).log
    assert (found.weights_gib.or_none(), found.kv_cache_gib.or_none()) == (weights, cache)


def test_what_the_log_printed_overrides_the_prediction() -> None:
    raw = facts("Qwen/Qwen2.5-14B", tp=2, max_model_len=8192)
    log = logged("Model loading took 13.9476 GiB\nAvailable KV cache memory: 0.25 GiB\n").log
    found = derive(replace(raw, log=log)).fit
    assert found.weights_bytes.or_none() == round(13.9476 * GIB)
    assert found.fits.or_none() is False
    assert found.limit.or_none() == "kv_cache"
    assert "the log says 0.25 GiB" in (found.because.or_none() or "")
    assert found.kv_cache_bytes.source.startswith("run.log:")
