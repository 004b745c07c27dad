"""What is printed under "To prove it" tells a run that was mended from one that was not."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from tests.acceptance.lab import GPUDOCTOR, TIMEOUT_S, Laboratory
from tests.acceptance.situation import Situation

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
PROVED = {
    "bfloat16-on-old-gpu": Situation(
        situation="bfloat16 on two T4",
        machine="t4x2-vm",
        launch=f"vllm serve {LLAMA} -tp 2 --dtype bfloat16 --max-model-len 4096",
        cause="arch_unsupported",
    ),
    "cvd-duplicate": Situation(
        situation="a GPU twice, by the launch command",
        machine="t4x2-vm",
        launch="env CUDA_VISIBLE_DEVICES=0,0 python train.py",
        cause="cuda_visible_devices",
    ),
    "cvd-entry-ignored": Situation(
        situation="a GPU that is not there, by the shell",
        machine="t4x2-vm",
        env={"CUDA_VISIBLE_DEVICES": "0,5"},
        cause="cuda_visible_devices",
    ),
    "weights-do-not-fit": Situation(
        situation="a 32B model on two 24 GiB",
        machine="rtx4090x2",
        launch="vllm serve Qwen/Qwen2.5-32B-Instruct --tensor-parallel-size 2",
        cause="vram_weights",
    ),
    "cache-does-not-fit": Situation(
        situation="a context that does not fit, in a list of commands",
        machine="t4x2-vm",
        launch=f"bash -c 'cd /tmp && vllm serve {LLAMA} -tp 2 --dtype half'",
        cause="vram_kv_cache",
    ),
    "tp-illegal-for-model": Situation(
        situation="TP 3, by options",
        machine="l40sx4-two-sockets",
        arguments=("--tp", "3", "--model", "Qwen/Qwen2.5-14B-Instruct", "--framework", "vllm"),
        cause="tp_illegal",
    ),
    "world-size-exceeds-gpus": Situation(
        situation="eight processes on four GPUs",
        machine="l40sx4-two-sockets",
        launch="torchrun --nproc_per_node 8 train.py",
        cause="tp_exceeds_gpus",
    ),
}


@pytest.mark.parametrize("rule", PROVED)
def test_the_proof_finds_it_no_more_once_the_best_fix_is_made(laboratory: Laboratory, rule: str) -> None:
    one = PROVED[rule]
    finding = next(finding for finding in laboratory.run(one).findings if finding["id"] == rule)
    proof = finding["verify"]
    assert proof.startswith("gpudoctor check ")
    in_shell = finding["fixes"][0]["command"] if not one.launch else ""
    before = proof.partition(" -- ")[0] + f" -- {one.launch}" if one.launch else "gpudoctor check --only " + rule
    arguments = f" {shlex.join(one.arguments)}" if one.arguments else ""
    assert "Nothing wrong found" not in said(laboratory, one, before + arguments)
    assert "Nothing wrong found" in said(laboratory, one, f"{in_shell or ':'} ; {proof}")


def said(laboratory: Laboratory, one: Situation, script: str) -> str:
    script = f'gpudoctor() {{ {shlex.quote(str(GPUDOCTOR))} "$@"; }}; {script}'
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env=laboratory.env(one),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
