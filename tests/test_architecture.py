"""Imports point one way, modules stay small, nothing below the command line prints or exits."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gpudoctor"
BASE = {"model", "errors", "paths", "lazy_pattern"}  # may be used from everywhere
ALLOWED: dict[str, set[str]] = {
    "model": set(),
    "errors": set(),
    "paths": set(),
    "lazy_pattern": set(),
    "data": set(),
    "readers": {"data", "workload"},
    "redact": set(),
    "render": set(),
    "host": set(),
    "workload": set(),
    "probes": {"host", "readers", "data"},
    "fit": {"data", "readers"},
    "derive": {"data", "fit", "readers"},
    "logs": {"readers", "data"},
    "engine": {"data", "logs"},
    "smoke": {"host", "data"},
    "cli": {
        "host",
        "probes",
        "readers",
        "workload",
        "logs",
        "derive",
        "engine",
        "fit",
        "smoke",
        "render",
        "redact",
        "data",
    },
    "__main__": {"cli"},
    "__init__": set(),
}
MAX_LINES = 300
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_target" not in path.parts)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def area(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "gpudoctor"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    here = area(name_of(path)) if path.parent != PACKAGE else path.stem
    assert here in ALLOWED, f"{here} is not in the table of docs/architecture.md"
    allowed = ALLOWED[here] | BASE | {here, "__init__"}
    wrong = {name for name in imports(path) if area(name) not in allowed and area(name) != "__version__"}
    assert wrong == set()


def test_no_import_cycles() -> None:
    names = {name_of(path): path for path in MODULES}
    graph = {
        name: {target for target in imports_at_top(path) if target in names and target != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for target in graph[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def imports_at_top(path: Path) -> set[str]:
    """Modules imported when this one is; a package counts only where something of it is taken."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            existing = {
                name for name in submodules if (PACKAGE.parent / Path(*name.split("."))).with_suffix(".py").exists()
            }
            found |= existing or {node.module}
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", [path for path in MODULES if "cli" not in path.parts], ids=name_of)
def test_nothing_below_the_command_line_prints_or_exits(path: Path) -> None:
    # These end their own forked children, or are commands of their own.
    if path.name in (
        "__main__.py",
        "isolate.py",
        "new_process.py",
        "spawn.py",
        "_cuda_visible.py",
        "devtest.py",
        "guard.py",
    ):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "exit", "quit", "sys.exit", "os._exit"), f"{path}:{node.lineno}: {called}"


def test_torch_is_imported_only_by_scripts_that_run_in_the_target() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert "torch" not in {alias.name.split(".")[0] for alias in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] != "torch", path
