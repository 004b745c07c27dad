"""Where our own files lie: the rules and the data tables, in a wheel and in a checkout.

Found from this file's place, not through `importlib.resources`, whose import alone costs 25 ms.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_dir() -> Path:
    """The rules: `gpudoctor/_rules` of an installed wheel, else `rules/` of the checkout (editable installs)."""
    packaged = _PACKAGE / "_rules"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "rules"


def data_dir() -> Path:
    """The data tables, `gpudoctor/data`."""
    return _PACKAGE / "data"


def data_file(name: str) -> Path:
    """A file of the packaged data tables."""
    return _PACKAGE / "data" / name
