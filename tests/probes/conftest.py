"""A machine of small files for each test."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.probes.simulated import Simulated
from tests.probes.targets import FakeTarget
from tests.probes.tree import Tree
from tests.sim.build import build


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "root")


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Simulated]:
    """A machine of fixtures/hosts by name, built once a session."""

    @cache
    def built(name: str) -> Simulated:
        return Simulated(build(name, tmp_path_factory.mktemp(name) / "machine"))

    return built


@pytest.fixture
def target(tmp_path: Path) -> FakeTarget:
    return FakeTarget(tmp_path)
