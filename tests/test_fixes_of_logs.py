"""The fixes that a log gets are for the program that wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.cli.findings.diagnose_facts import diagnose_facts
from gpudoctor.cli.findings.rule_set import reader_of, rule_set
from gpudoctor.logs.open import Source
from gpudoctor.model.finding import Finding

READER = reader_of(rule_set((), logs=True).rules)


def findings(folder: Path, text: str) -> dict[str, Finding]:
    file = folder / "log.txt"
    file.write_text(text)
    reading = READER.read([Source(file)])
    return {finding.id: finding for finding in diagnose_facts(reading.facts, seen=reading.seen)[1].findings}


def said(finding: Finding) -> str:
    return "\n".join(f"{fix.title} {fix.command}" for fix in finding.fixes)


LLAMA = "llama_model_load: error loading model\nggml_cuda_init: found 2 CUDA devices:\n"
TRT = '[TRT-LLM] [RANK 0] [E] failed\n  File "/x/dist-packages/tensorrt_llm/_torch/distributed/ops.py", line 37, in f\n'


@pytest.mark.parametrize(
    ("text", "rule", "first", "never"),
    [
        (
            LLAMA + 'GGML_ASSERT: /tmp/llama.cpp/ggml-cuda.cu:241: !"CUDA error"\n',
            "framework-defect-reported",
            "Update the framework",
            ("vllm", "pip"),
        ),
        (
            LLAMA + "CUDA error: no kernel image is available for execution on the device\n",
            "no-kernel-for-gpu",
            "llama.cpp",
            ("pip install", "Blackwell (sm_100"),
        ),
        (
            "TVMError: Check failed: (output_res.IsOk()) is false: Insufficient GPU memory error: The available single "
            "GPU memory is 20601.038 MB, which is less than the sum of model weight size (6214.405 MB) and temporary "
            "buffer size (14806.112 MB).\n",
            "kv-cache-does-not-fit",
            "A shorter context",
            ("vllm serve", "--max-num-seqs"),
        ),
        (
            TRT + "CUDA Runtime API error: <cudaError_t.cudaErrorInvalidDevice: 101> get_allreduce_workspace\n"
            "RuntimeError: custom_all_reduce.cuh:455 'invalid argument'\n",
            "custom-allreduce-fails",
            "TensorRT-LLM",
            ("--disable-custom-all-reduce",),
        ),
    ],
    ids=["llama.cpp", "llama.cpp without a kernel", "MLC", "TensorRT-LLM"],
)
def test_no_program_gets_the_fixes_of_another_one(
    tmp_path: Path, text: str, rule: str, first: str, never: tuple[str, ...]
) -> None:
    finding = findings(tmp_path, text)[rule]
    assert first in finding.fixes[0].title
    assert [word for word in never if word in said(finding)] == []


def test_the_client_of_a_server_gets_none_of_its_options(tmp_path: Path) -> None:
    text = (
        "INFO 09-24 03:13:01 [ray_utils.py:233] Waiting for creating a placement group of specs for 10 seconds.\n"
        "$ vllm bench serve --backend openai-chat --model m --port 8100 --dataset-name random\n"
    )
    assert "vllm bench serve" not in said(findings(tmp_path, text)["ray-cannot-place"])
