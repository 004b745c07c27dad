"""Which tests may run beside each other."""

from __future__ import annotations

import pytest

# They look for what a smoke run leaves behind on the whole machine: segments, ports, processes.
_ALONE = ("tests/smoke/", "tests/cli/test_nccl_test", "tests/cli/test_smoke", "tests/cli/test_run")


@pytest.hookimpl(tryfirst=True)  # before the workers read the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays with one worker, and so do all the files that look at the whole machine."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group("smoke" if file.startswith(_ALONE) else file))
