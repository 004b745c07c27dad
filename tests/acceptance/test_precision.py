"""On a healthy machine no run that it can serve brings an error or a warning."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.lab import Laboratory

# The TP sizes that Qwen2.5-7B allows (28 heads, 4 KV heads) and the machine has GPUs and memory for, then the others.
HEALTHY: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "a100x8-nvswitch": ((1, 2, 4), (8,)),
    "h100x8-nvswitch": ((1, 2, 4), (8,)),
    "l40sx4-two-sockets": ((1, 2, 4), ()),
    "rtx4090x1": ((1,), ()),
    "rtx4090x2": ((1, 2), ()),
    "rtx3090x2-nvlink": ((1, 2), ()),
    "rtx3090x2-no-nvlink": ((1, 2), ()),
    "t4x2-vm": ((2,), (1,)),
    "wsl2": ((1, 2), ()),
}
MODEL = "Qwen/Qwen2.5-7B-Instruct"
COMMANDS = (
    f"vllm serve {MODEL} --tensor-parallel-size {{tp}} --max-model-len 8192",
    f"python -m vllm.entrypoints.openai.api_server --model {MODEL} -tp {{tp}} --dtype auto --port 8001",
    f"python -m sglang.launch_server --model-path {MODEL} --tp {{tp}}",
    "torchrun --standalone --nproc-per-node {tp} train.py --batch-size 8",
    f"docker run --rm --gpus all --ipc=host -p 8000:8000 vllm/vllm-openai:latest --model {MODEL} -tp {{tp}}",
)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_machine_is_left_in_peace(laboratory: Laboratory, name: str) -> None:
    sizes, others = HEALTHY[name]
    runs: list[tuple[str, ...]] = [("--tp", str(tp)) for tp in (*sizes, *others)]
    runs += [("--", *shlex.split(command.format(tp=max(sizes)))) for command in COMMANDS]
    laboratory.snapshot(name)
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda run: laboratory.offline(name, *run), runs)
        loud = [
            (" ".join(run), finding["severity"], finding["title"])
            for run, found in zip(runs, outcomes, strict=True)
            for finding in found.findings
            if finding["severity"] != "info"
        ]
    assert loud == []
