"""The version that torch was built with."""

from .._machine import MACHINE


def version() -> tuple[int, ...]:
    """As the machine file says."""
    return MACHINE.version
