"""Where the packaged data lies: in the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_dir() -> Path:
    """The rules: `gpudoctor/_rules` of an installed wheel, else `rules/` of the checkout (editable installs)."""
    packaged = _PACKAGE / "_rules"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "rules"


def data_file(name: str) -> Path:
    """A file of `gpudoctor/data`."""
    return _PACKAGE / "data" / name
