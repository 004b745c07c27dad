"""Tests do not depend on how they were started."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """What we start may be interrupted and hung up, also where nohup or a shell's `&` had us ignore that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
