"""Where nobody names GPUs, the smoke run takes a group that is linked better than the first ones, and says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.build import build, environment

ASK = """
import sys
from gpudoctor.cli.nccl_test.devices import best_group
from gpudoctor.host import LocalHost
print(best_group(LocalHost(), int(sys.argv[1])))
"""


def choice(machine: str, size: int, folder: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(size)],
        env=environment(build(machine, folder / "machine"), "", env),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_pair_with_a_bridge_is_taken_and_the_reason_given(tmp_path: Path) -> None:
    said = choice("rtx3090x4-two-nvlink-pairs", 2, tmp_path)
    assert "devices='0,2'" in said
    assert "linked by NV4, the first 2 by NODE" in said


@pytest.mark.parametrize(
    ("machine", "size"),
    [
        ("rtx3090x4-two-nvlink-pairs", 1),
        ("rtx3090x4-two-nvlink-pairs", 4),
        ("rtx4090x4-p2p-patched-acs", 2),
        ("rtx4090x2", 2),
        ("no-gpu", 2),
        ("wedged-driver", 2),
    ],
)
def test_nothing_is_chosen_where_nothing_is_better(machine: str, size: int, tmp_path: Path) -> None:
    assert choice(machine, size, tmp_path) == "None\n"


def test_what_the_user_has_chosen_stays(tmp_path: Path) -> None:
    assert choice("rtx3090x4-two-nvlink-pairs", 2, tmp_path, CUDA_VISIBLE_DEVICES="0,1,2,3") == "None\n"
