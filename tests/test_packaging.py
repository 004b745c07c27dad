"""The wheel alone, in a clean environment, from `/`: rules, data and schema are found, and no torch came along."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, as an index would build it."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    command = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": f"{installed}/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    command = [str(installed / "bin/gpudoctor"), *arguments]
    return subprocess.run(command, cwd="/", env=clean, capture_output=True, text=True, timeout=120, check=False)


def test_the_wheel_holds_every_rule_and_data_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    rules = {
        f"gpudoctor/_{folder}/{path.relative_to(ROOT / folder)}"
        for folder in ("rules", "log_rules")
        for path in (ROOT / folder).rglob("*.yaml")
    }
    data = {str(path.relative_to(ROOT)) for path in (ROOT / "gpudoctor/data").glob("*.json")}
    assert rules
    assert rules - names == set()
    assert data - names == set()
    assert "gpudoctor/py.typed" in names
    assert {"gpudoctor/_rules/packed.msgpack", "gpudoctor/_log_rules/packed.msgpack"} <= names
    assert not [name for name in names if name.startswith(("tests", "fixtures"))]


def test_no_torch_is_installed_with_it(installed: Path) -> None:
    listed = subprocess.run([str(installed / "bin/pip"), "list", "--format=json"], check=True, capture_output=True)
    names = {entry["name"].lower() for entry in json.loads(listed.stdout)}
    assert "gpudoctor-cli" in names
    assert names & {"torch", "pydantic", "numpy", "pynvml"} == set()


def test_rules_are_found_from_anywhere(installed: Path) -> None:
    listed = run(installed, "rules", "list", "--format", "json")
    assert listed.returncode == 0, listed.stderr
    ids = {entry["id"] for entry in json.loads(listed.stdout)}
    assert ids == {path.stem for folder in ("rules", "log_rules") for path in (ROOT / folder).rglob("*.yaml")}


def test_a_log_is_diagnosed_from_anywhere(installed: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update\n")
    diagnosed = run(installed, "diagnose", str(log), "--format", "json")
    assert diagnosed.returncode == 1, diagnosed.stderr
    assert json.loads(diagnosed.stdout)["findings"][0]["cause"] == "driver_too_old"


def test_a_report_is_made_and_fits_the_packaged_schema(installed: Path) -> None:
    checked = run(installed, "check", "--quick", "--format", "json", "--fail-on", "never")
    assert checked.returncode in (0, 3), checked.stderr
    report = json.loads(checked.stdout)
    schema_file = next(installed.glob("lib/python*/site-packages/gpudoctor/data/report.schema.json"))
    import jsonschema

    jsonschema.validate(report, json.loads(schema_file.read_text()))


def test_a_read_only_home_and_working_directory_do_not_matter(installed: Path) -> None:
    before = set(Path("/").iterdir())
    assert run(installed, "check", "--quick", "--fail-on", "never").returncode in (0, 3)
    assert set(Path("/").iterdir()) == before
