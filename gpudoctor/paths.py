"""Where our own files lie: the rules and the data tables, in a wheel and in a checkout.

Found from this file's place, not through `importlib.resources`, whose import alone costs 25 ms.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def rules_dir() -> Path:
    """The rules: `gpudoctor/_rules` of an installed wheel, else `rules/` of the checkout (editable installs)."""
    packaged = _PACKAGE / "_rules"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "rules"


def log_rules_dir() -> Path:
    """The rules for logs, which only those need who have one: as `rules_dir`, in `log_rules`."""
    packaged = _PACKAGE / "_log_rules"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "log_rules"


def data_dir() -> Path:
    """The data tables, `gpudoctor/data`."""
    return _PACKAGE / "data"


def data_file(name: str) -> Path:
    """A file of the packaged data tables."""
    return _PACKAGE / "data" / name


def module_names(folders: Iterable[str]) -> list[str]:
    """The modules of a package, given its `__path__`, sorted; none whose name begins with an underscore.

    `pkgutil.iter_modules` says the same, and loads `inspect` for it, which costs as much as ten modules of ours.
    """
    entries = [entry for folder in folders for entry in os.listdir(folder)]  # noqa: PTH208
    return sorted(entry[:-3] for entry in entries if entry.endswith(".py") and not entry.startswith("_"))
