"""An interpreter to be examined that has nothing installed: what the tests' own one has must not decide a diagnosis."""

from __future__ import annotations

import venv
from pathlib import Path


def bare_target(folder: Path) -> Path:
    """A virtual environment without any distribution; made once."""
    if not (folder / "pyvenv.cfg").exists():
        venv.create(folder, with_pip=False, symlinks=True)
    return folder
