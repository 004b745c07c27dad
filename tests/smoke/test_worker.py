"""The folder that the target interpreter runs: nothing but torch and the standard library, for Python 3.8 and newer."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "gpudoctor" / "smoke" / "_target"
FILES = sorted(FOLDER.rglob("*.py"))
INTERPRETERS = [name for minor in range(8, 15) if (name := shutil.which(f"python3.{minor}"))]
MAX_LINES = 200


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_is_small_and_of_the_oldest_python(path: Path) -> None:
    text = path.read_text()
    ast.parse(text, feature_version=(3, 8))
    assert len(text.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_torch_and_the_standard_library_are_imported(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] in {*sys.stdlib_module_names, "torch"}


@pytest.mark.parametrize("python", INTERPRETERS)
def test_it_loads_in_each_python_that_is_here(python: str) -> None:
    # A shim of pyenv may have no interpreter behind it.
    if subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("does not start")
    load = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import gpudoctor_worker.main"
    done = subprocess.run([python, "-B", "-c", load], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_runs_from_a_place_where_nothing_may_be_written(tmp_path: Path) -> None:
    """Copied elsewhere, as it would be sent to another host; without torch it says so, and leaves nothing beside it."""
    copy = tmp_path / "target"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(copy.rglob("*"))
    config = '{"pipe": 1, "backend": "auto", "devices_asked": false, "ops": [], "dtypes": [], "max_bytes": 0, '
    env = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(copy), config + '"timeout_s": 5}'],
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "No module named 'torch'" in done.stdout
    assert sorted(copy.rglob("*")) == before
