"""Our modules are loaded as Python would load them, whatever bytecode lies beside them."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "gpudoctor"
TELL = """
import json, sys
from gpudoctor.cli.own_modules import find_by_name
if sys.argv[1] == "ours": find_by_name()
import gpudoctor.box, gpudoctor.box.thing as thing
try:
    import gpudoctor.missing
except ModuleNotFoundError as error:
    missing = str(error)
spec = thing.__spec__
print(json.dumps({
    "value": thing.VALUE, "name": spec.name, "origin": spec.origin, "cached": spec.cached, "parent": spec.parent,
    "path": list(gpudoctor.box.__path__), "package": thing.__package__, "file": thing.__file__,
    "code": thing.where.__code__.co_filename, "missing": missing, "doc": thing.__doc__,
}))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """As much of gpudoctor as it takes, with a package of one module."""
    root = tmp_path / "gpudoctor"
    (root / "cli").mkdir(parents=True)
    (root / "box").mkdir()
    for folder in ("", "cli", "box"):
        (root / folder / "__init__.py").write_text("")
    (root / "cli" / "own_modules.py").write_text((SOURCE / "cli" / "own_modules.py").read_text())
    (root / "box" / "thing.py").write_text('"""Text."""\nVALUE = 1\ndef where(): pass\n')
    return root


def told(root: Path, *options: str, env: dict[str, str] | None = None, who: str = "ours") -> dict[str, object]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, *options, "-c", TELL, who],
        cwd=root.parent,
        env={**variables, "PYTHONPATH": str(root.parent), **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("options", [(), ("-O",), ("-OO",), ("-B",)], ids=str)
def test_a_module_is_as_python_makes_it_with_bytecode_and_without(package: Path, options: tuple[str, ...]) -> None:
    expected = told(package, *options, who="python")
    for _ in range(2):
        assert told(package, *options) == expected
    assert expected["value"] == 1
    assert (expected["doc"] is None) == ("-OO" in options)


def test_bytecode_in_another_place_is_found_there(package: Path, tmp_path: Path) -> None:
    elsewhere = {"PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}
    expected = told(package, who="python", env=elsewhere)
    assert told(package, env=elsewhere) == expected
    assert not (package / "box" / "__pycache__").exists()


def test_a_changed_source_counts_and_not_its_old_bytecode(package: Path) -> None:
    assert told(package)["value"] == 1
    (package / "box" / "thing.py").write_text('"""Text."""\nVALUE = 23\ndef where(): pass\n')
    assert told(package)["value"] == 23
    assert told(package)["value"] == 23


def bytecode(package: Path) -> Path:
    (found,) = (package / "box" / "__pycache__").glob("thing.*.pyc")
    return found


@pytest.mark.parametrize("damage", ["empty", "cut", "other version", "noise"])
def test_damaged_bytecode_is_what_python_makes_of_it(package: Path, damage: str) -> None:
    told(package)
    data = bytecode(package).read_bytes()
    bytecode(package).write_bytes(
        {"empty": b"", "cut": data[:10], "other version": b"\0\0\r\n" + data[4:], "noise": b"\xff" * 50}[damage]
    )
    assert told(package)["value"] == 1


def test_bytecode_told_by_a_hash_is_left_to_python(package: Path) -> None:
    thing = package / "box" / "thing.py"
    py_compile.compile(str(thing), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    assert told(package)["value"] == 1
    thing.write_text('"""Text."""\nVALUE = 4\ndef where(): pass\n')
    assert told(package)["value"] == 4


def test_a_moved_package_names_its_new_place(package: Path, tmp_path: Path) -> None:
    told(package)
    moved = tmp_path / "moved" / "gpudoctor"
    moved.parent.mkdir()
    package.rename(moved)
    assert told(moved)["code"] == str(moved / "box" / "thing.py")


def test_a_module_longer_than_is_read_at_once_is_left_to_python(package: Path) -> None:
    thing = package / "box" / "thing.py"
    thing.write_text(f"VALUE = {'x' * 100_000!r}\ndef where(): pass\n")
    for _ in range(2):
        assert told(package)["value"] == "x" * 100_000


@pytest.mark.parametrize("kept", [16, 17, 60])
def test_bytecode_that_was_cut_is_compiled_again(package: Path, kept: int) -> None:
    told(package)
    file = bytecode(package)
    file.write_bytes(file.read_bytes()[:kept])
    assert told(package)["value"] == 1
