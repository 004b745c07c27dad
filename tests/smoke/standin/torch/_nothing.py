"""Waiting for what does not come."""

import time


def never_returns() -> None:
    """Where a process stands whose kernel spins, or whose peer does not answer."""
    while True:
        time.sleep(60)
