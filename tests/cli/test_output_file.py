"""-o FILE: whole or not there, and every name that cannot be written is a sentence."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import GPUDOCTOR, Lab, Ran, gpudoctor


def _written(lab: Lab, path: str) -> Ran:
    return gpudoctor("check", "--quick", "-o", path, env=lab.env("rtx4090x2"))


@pytest.mark.parametrize("name", ["", ".", "missing/file", "n" * 300, "folder"])
def test_what_cannot_be_written_is_2(lab: Lab, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    path = name if name in ("", ".") else str(tmp_path / name)
    ran = _written(lab, path)
    assert ran.code == 2
    assert "internal error" not in ran.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_the_longest_name_a_link_and_a_device_are_written(lab: Lab, tmp_path: Path) -> None:
    long = tmp_path / ("n" * 255)
    assert _written(lab, str(long)).code == 0
    (tmp_path / "link").symlink_to("target")
    assert _written(lab, str(tmp_path / "link")).code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == long.read_text()
    ran = _written(lab, "/dev/stdout")
    assert (ran.code, ran.out) == (0, long.read_text())
    assert sorted(len(entry.name) for entry in tmp_path.iterdir()) == [4, 6, 255]


def test_where_the_current_folder_is_gone_relative_paths_are_the_only_loss(lab: Lab, tmp_path: Path) -> None:
    script = (
        f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; "
        f"exec {GPUDOCTOR} check --quick --model ./x --python ./py --tp 4"
    )
    done = subprocess.run(
        ["bash", "-c", script], env=lab.env("rtx4090x2"), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_write_protected_file_is_kept(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("mine")
    file.chmod(0o444)
    assert _written(lab, str(file)).code == 2
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--gpu-memory-utilization", "nan"],
        ["--timeout", "nan"],
        ["--tp", "9" * 30],
        ["--tp", "9" * 18, "--pp", "9" * 18],
        ["--max-model-len", "9" * 18],
        ["--", "vllm", "serve", "m", "-tp", "9" * 18, "-pp", "9" * 18],
        ["--", "docker", "run", "--shm-size", "999999999999999p", "vllm/vllm-openai"],
        ["--", "vllm", "serve", "m", "--max-model-len", "999999999999999g"],
    ],
)
def test_a_number_that_nothing_can_have_is_2(arguments: list[str]) -> None:
    ran = gpudoctor("check", "--quick", "--format", "json", *arguments)
    assert ran.code == 2
    assert ran.report["error"]["exit_code"] == 2
