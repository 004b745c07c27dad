"""One laboratory for the whole session; the situations that were chosen begin to run when the first is asked for."""

from __future__ import annotations

import pytest

from tests.acceptance.lab import Laboratory
from tests.acceptance.situation import Situation


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    laboratory = Laboratory(tmp_path_factory.mktemp("situations"))
    chosen = [
        item.callspec.params
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    laboratory.start(one for params in chosen for one in params.values() if isinstance(one, Situation))
    return laboratory
