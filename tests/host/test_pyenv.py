"""The interpreter behind pyenv's shim: said where it is certain, and the shim in any other case."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.host.pyenv import behind_shim

SHIM = """#!/usr/bin/env bash
set -e
program="${0##*/}"

export PYENV_ROOT="<root>"
exec "<root>/libexec/pyenv" exec "$program" "$@"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pyenv with two versions, the second of them global; the current folder is beside it."""
    pyenv = tmp_path / "pyenv"
    for version in ("3.10.13", "3.11.7"):
        write(pyenv / "versions" / version / "bin/python3", "")
    write(pyenv / "shims/python3", SHIM.replace("<root>", str(pyenv)))
    (pyenv / "version").write_text("3.11.7\n")
    work = tmp_path / "work/deeper"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    return pyenv


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def behind(root: Path, **env: str) -> str:
    shim = f"{root}/shims/python3"
    found = behind_shim(LocalHost(environ=env, root=""), shim, env)
    return "shim" if found == shim else found.removeprefix(f"{root}/versions/")


def test_the_global_version(root: Path) -> None:
    assert behind(root) == "3.11.7/bin/python3"


def test_a_version_file_above_the_current_folder_beats_it(root: Path) -> None:
    (root.parent / "work/.python-version").write_text("# ours\n3.10.13\n")
    assert behind(root) == "3.10.13/bin/python3"


def test_the_variable_beats_every_file(root: Path) -> None:
    (root.parent / "work/.python-version").write_text("3.11.7\n")
    assert behind(root, PYENV_VERSION="3.10.13") == "3.10.13/bin/python3"


@pytest.mark.parametrize("version", ["", "system", "3.12", "3.10.13\n3.11.7\n", "3.11.7 3.10.13", "../versions/3.11.7"])
def test_a_version_that_is_not_one_plain_installed_one_is_left_to_the_shim(root: Path, version: str) -> None:
    (root / "version").write_text(version)
    assert behind(root) == "shim"


def test_two_versions_in_the_variable_are_left_to_the_shim(root: Path) -> None:
    assert behind(root, PYENV_VERSION="3.10.13:3.11.7") == "shim"


@pytest.mark.parametrize("sign", ["versions/3.11.7/pyvenv.cfg", "pyenv.d/version-name/x.bash"])
@pytest.mark.parametrize("place", ["", "plugins/virtualenv/etc/"])
def test_virtual_environments_and_hooks_are_left_to_the_shim(root: Path, sign: str, place: str) -> None:
    if sign.startswith("versions") and place:
        pytest.skip("versions lie at the root")
    write(root / place / sign, "")
    assert behind(root) == "shim"


def test_what_only_lies_in_a_folder_of_that_name_is_no_shim(root: Path) -> None:
    write(root / "shims/python3", "#!/bin/sh\n")
    assert behind(root) == "shim"
