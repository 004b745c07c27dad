"""The cases of the decision table run side by side: they mostly wait for hangs to be noticed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.smoke.decision_table import Case, run_case
from tests.smoke.runs import Run

_SIDE_BY_SIDE = 3


class Decisions:
    """Runs of cases, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
        self._runs: dict[str, Future[Run]] = {}

    def start(self, case: Case) -> Future[Run]:
        """Begin, if not yet begun."""
        if case.name not in self._runs:
            folder = self._folder / str(len(self._runs))
            folder.mkdir()
            self._runs[case.name] = self._pool.submit(run_case, case, folder)
        return self._runs[case.name]

    def close(self) -> None:
        """Begin no more, and wait for those that run."""
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def decisions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decisions]:
    made = Decisions(tmp_path_factory.mktemp("decisions"))
    for item in request.session.items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            for value in item.callspec.params.values():
                if isinstance(value, Case):
                    made.start(value)
    yield made
    made.close()
