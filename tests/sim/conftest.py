"""Machines are built once a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.sim.build import build

Machines = Callable[[str], Path]


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Machines:
    @cache
    def built(name: str) -> Path:
        return build(name, tmp_path_factory.mktemp(name) / "machine")

    return built
