"""The choice of the interpreter: explicit, from the launch command, the active environment, PATH, our own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.host.target import Target, choose_python
from gpudoctor.model.fact import known
from gpudoctor.model.facts.workload import Workload


def executable(path: Path, content: str = "") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return str(path)


def choose(request: Request | None = None, **environ: str) -> Target:
    return choose_python(LocalHost(environ=environ, root=""), request or Request())


def launching(command: str, interpreter: str | None = None) -> Workload:
    workload = Workload(command=known(command, "launch command"))
    if interpreter is None:
        return workload
    return Workload(command=known(command, "launch command"), interpreter=known(interpreter, "launch command"))


def test_an_option_beats_everything(tmp_path: Path) -> None:
    python = executable(tmp_path / "bin/python3.12")
    venv = executable(tmp_path / "venv/bin/python")
    assert choose(Request(python=python), VIRTUAL_ENV=str(Path(venv).parents[1])) == Target(python, "option")


def test_an_interpreter_of_the_launch_command_says_so(tmp_path: Path) -> None:
    python = executable(tmp_path / "python3")
    request = Request(python=python, workload=launching(f"{python} -m vllm", python))
    assert choose(request) == Target(python, "launch_command")


def test_a_name_is_looked_up_on_the_workloads_path(tmp_path: Path) -> None:
    python = executable(tmp_path / "bin/python3.12")
    request = Request(python="python3.12", launch_env=(("PATH", str(tmp_path / "bin")),))
    assert choose(request, PATH="/nonexistent") == Target(python, "option")


def test_a_folder_of_a_virtual_environment_is_its_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = executable(tmp_path / "venv/bin/python3")
    assert choose(Request(python=str(tmp_path / "venv"))).executable == python
    assert choose(Request(python=f"{tmp_path}/venv/")).executable == python
    assert choose(Request(python="~/venv"), HOME=str(tmp_path)).executable == python
    monkeypatch.chdir(tmp_path)
    assert choose(Request(python="venv"), PATH="/nonexistent").executable == python
    assert choose(Request(python="./venv/bin/python3")).executable == python


def test_an_explicit_choice_that_cannot_be_is_a_problem_and_no_other_is_taken(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    (tmp_path / "empty").mkdir()
    for path, problem in (
        (tmp_path / "none", "does not exist"),
        (plain, "may not be executed by this user"),
        (tmp_path / "empty", "is a folder without bin/python3"),
    ):
        target = choose(Request(python=str(path)))
        assert target == Target(str(path), "option", f"{path} {problem}")


def test_the_script_that_is_launched_names_its_interpreter(tmp_path: Path) -> None:
    python = executable(tmp_path / "env with space/bin/python3")
    short = executable(tmp_path / "other/bin/python")
    folder = tmp_path / "scripts"
    executable(folder / "vllm", f"#!{short}\nimport vllm\n")
    executable(folder / "sglang", f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\nimport sys\n")
    executable(folder / "torchrun", "#!/usr/bin/env python\n")
    path = f"{folder}:{Path(short).parent}"
    for command, expected in (
        ("CUDA_VISIBLE_DEVICES=0,1 vllm serve model", short),
        ("nohup env A=1 sglang serve", python),
        ("torchrun --nproc-per-node 2 train.py", short),
        (f"{folder}/vllm serve", short),
    ):
        request = Request(workload=launching(command))
        assert choose(request, PATH=path, VIRTUAL_ENV="/nonexistent") == Target(expected, "launch_command")


@pytest.mark.parametrize("command", ["docker run image", "bash -c 'vllm serve'", "unclosed 'quote", "", "A=1"])
def test_a_command_that_names_no_interpreter_leaves_the_choice_to_the_others(tmp_path: Path, command: str) -> None:
    executable(tmp_path / "bin/docker", "\x7fELF")
    executable(tmp_path / "bin/bash", "#!/bin/sh\n")
    python = executable(tmp_path / "bin/python3")
    assert choose(Request(workload=launching(command)), PATH=str(tmp_path / "bin")) == Target(python, "path")


def test_the_active_environment_comes_before_path_and_a_stale_one_does_not_count(tmp_path: Path) -> None:
    conda = executable(tmp_path / "conda/bin/python")
    venv = executable(tmp_path / "venv/bin/python3")
    on_path = executable(tmp_path / "bin/python3")
    path, prefix = str(tmp_path / "bin"), str(tmp_path / "conda")
    active = choose(PATH=path, CONDA_PREFIX=prefix, VIRTUAL_ENV=str(tmp_path / "venv"))
    assert active == Target(venv, "virtual_env")
    assert choose(PATH=path, CONDA_PREFIX=prefix, VIRTUAL_ENV="/gone") == Target(conda, "virtual_env")
    assert choose(PATH=path, VIRTUAL_ENV="/gone") == Target(on_path, "path")


def test_what_cannot_be_executed_is_passed_over_on_path(tmp_path: Path) -> None:
    (tmp_path / "one/python3").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two/python3").write_text("")
    python = executable(tmp_path / "three/python")
    assert choose(PATH=f"{tmp_path}/one:relative::{tmp_path}/two:{tmp_path}/three") == Target(python, "path")


def test_our_own_interpreter_is_the_last_resort() -> None:
    assert choose(PATH="/nonexistent") == Target(sys.executable, "own")


def test_the_environment_of_the_tool_itself_on_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = executable(tmp_path / "uvx/bin/python3")
    other = executable(tmp_path / "usr/bin/python3")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "uvx"))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    path = f"{tmp_path}/uvx/bin:{tmp_path}/usr/bin"
    assert choose(PATH=path) == Target(other, "path")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / "uvx/lib" / version / "site-packages/torch").mkdir(parents=True)
    assert choose(PATH=path) == Target(own, "path")  # it has a torch: the user put us there on purpose
