"""Which GPUs the ranks use, on made-up machines: given to each rank, given twice, too few, or chosen by their links."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.smoke.runs import Run
from tests.smoke.simulated import HANG_S, simulate, standin_environment


def two_ranks(folder: Path, gpus: int, visible: tuple[str, str] | None) -> Run:
    """Started one by one, as srun does it; each is shown its own GPUs."""
    file = folder / "gpus.json"
    file.write_text(json.dumps({"gpus": gpus}))
    argv = [sys.executable, "-m", "gpudoctor", "nccl-test", "--worker", "--format", "json", "--python", sys.executable]
    both = []
    for rank in range(2):
        env = {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"}
        shown = {"CUDA_VISIBLE_DEVICES": visible[rank]} if visible else {}
        port = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(20_000 + os.getpid() % 10_000)}
        both.append(
            subprocess.Popen(
                [*argv, "--timeout", str(HANG_S), "--max-bytes", "4K"],
                env={**standin_environment(folder, file, ""), **env, **shown, **port},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    (out, err), _ = (process.communicate(timeout=60) for process in both)
    assert out, err
    return Run(both[0].returncode, json.loads(out), err, ())


def test_a_rank_that_is_shown_one_gpu_uses_it(tmp_path: Path) -> None:
    done = two_ranks(tmp_path, 2, ("0", "1"))
    assert (done.smoke["verdict"], done.smoke["backend"]) == ("pass", "nccl")


def test_one_gpu_that_two_ranks_are_shown_is_named(tmp_path: Path) -> None:
    done = two_ranks(tmp_path, 2, ("1", "1"))
    assert (done.smoke["verdict"], done.smoke["phase"]) == ("crash", "rendezvous")
    assert done.finding["cause"] == "duplicate_gpu"
    assert "rank 0 and rank 1 were given one GPU" in done.finding["why"]


def test_one_gpu_for_two_ranks_is_too_few(tmp_path: Path) -> None:
    done = two_ranks(tmp_path, 1, None)
    assert (done.smoke["phase"], done.finding["cause"]) == ("cuda_init", "tp_exceeds_gpus")


def test_the_pair_with_the_bridge_is_chosen_and_said(tmp_path: Path) -> None:
    done = simulate(tmp_path, {"gpus": 4}, "--tp", "2", host="rtx3090x4-two-nvlink-pairs")
    assert done.smoke["verdict"] == "pass"
    assert any("GPUs 0,2 were taken" in note for note in done.report["notes"])
    assert [rank["bus"][5:7] for rank in done.smoke["ranks"]] == ["01", "03"]
