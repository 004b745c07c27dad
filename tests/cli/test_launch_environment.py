"""Which of the shell's variables reach the run is the launch command's choice, for every probe alike."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Lab

VLLM = ("vllm", "serve", "facebook/opt-125m", "--tensor-parallel-size", "2")
DOCKER = ("docker", "run", "--gpus", "all", "--ipc=host")


@pytest.mark.parametrize(
    ("launch", "visible"),
    [
        (VLLM, 1),
        (("env", "-u", "CUDA_VISIBLE_DEVICES", *VLLM), 2),
        (("env", "-i", *VLLM), 2),
        (("env", "-i", "CUDA_VISIBLE_DEVICES=1", *VLLM), 1),
        (("CUDA_VISIBLE_DEVICES=1,0", *VLLM), 2),
        ((*DOCKER, "vllm/vllm-openai", "--model", "x", "--tensor-parallel-size", "2"), 2),
        ((*DOCKER, "-e", "CUDA_VISIBLE_DEVICES", "vllm/vllm-openai", "--model", "x", "-tp", "2"), 1),
    ],
)
def test_visible_devices_follow_the_launch_command(lab: Lab, launch: tuple[str, ...], visible: int) -> None:
    report = lab.check("rtx4090x2", "--", *launch, CUDA_VISIBLE_DEVICES="0").report
    assert report["facts"]["gpus"]["visible_count"]["value"] == visible
    assert len(report["facts"]["cuda"]["visible_uuids"].get("value") or ["", ""]) == visible
    assert ("tp_exceeds_gpus" in {f["cause"] for f in report["findings"]}) == (visible < 2)
