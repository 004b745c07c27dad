"""Imports without what they load and we do not need."""

from __future__ import annotations

import sys


def load_msgspec() -> None:
    """Load msgspec without typing_extensions.

    It takes two names from there, and `typing` has both: where typing_extensions cannot be imported it asks `typing`.
    typing_extensions loads inspect, ast, dis and tokenize: 9 ms that every short check would wait for.
    """
    name = "typing_extensions"
    if name in sys.modules or sys.version_info < (3, 11):  # typing of 3.10 lacks one of them
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        import msgspec  # noqa: F401 - only loaded
    finally:
        del sys.modules[name]
