"""What our own process says of its interpreter is what starting that once more would bring, or nothing at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import sys
from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.host.target import Target
from gpudoctor.probes._interpreter import run_script
from gpudoctor.probes._own_interpreter import describe_ourselves
from gpudoctor.readers.target_answer import parse
host, request = LocalHost(), Request({request})
before = list(sys.path)
own = describe_ourselves(host, request, {executable!r})
assert sys.path == before
started = run_script(host, request, Target(sys.executable, "own"), "describe.py", 30)
print("none" if own is None else "same" if own == parse(started.stdout) else "different")
"""


def _said(folder: Path, *options: str, name: str = "gpudoctor", request: str = "", executable: str = "") -> str:
    script = folder / "bin" / name
    script.parent.mkdir()
    script.write_text(_SCRIPT.format(request=request, executable=executable or sys.executable))
    (folder / "lib" / "torch").mkdir(parents=True)
    (folder / "lib" / "torch" / "__init__.py").write_text("")
    (folder / "lib" / "vllm-1.0.dist-info").mkdir()
    search = os.pathsep.join((str(folder / "lib"), *(entry for entry in sys.path if entry)))
    env = {**os.environ, "PYTHONPATH": search}
    command = [sys.executable, *options, str(script)]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def test_it_is_what_starting_the_interpreter_brings(tmp_path: Path) -> None:
    assert _said(tmp_path) == "same"


@pytest.mark.parametrize("options", [("-s",), ("-P",)])
def test_an_option_that_leaves_something_out_leaves_it_to_a_start(tmp_path: Path, options: tuple[str, ...]) -> None:
    if "-P" in options and sys.version_info < (3, 11):
        pytest.skip("Python 3.11 brought -P")
    assert _said(tmp_path, *options) == "none"


def test_another_environment_leaves_it_to_a_start(tmp_path: Path) -> None:
    assert _said(tmp_path, request="launch_env=(('PYTHONPATH', '/elsewhere'),)") == "none"


def test_an_unset_variable_leaves_it_to_a_start(tmp_path: Path) -> None:
    assert _said(tmp_path, request="unset=('PYTHONPATH',)") == "none"


def test_another_folder_with_the_same_python_is_another_environment(tmp_path: Path) -> None:
    link = tmp_path / "venv" / "bin" / "python3"
    link.parent.mkdir(parents=True)
    link.symlink_to(sys.executable)
    assert _said(tmp_path, executable=str(link)) == "none"


def test_a_program_of_somebody_else_has_a_path_of_its_own(tmp_path: Path) -> None:
    assert _said(tmp_path, name="pytest") == "none"
