"""The installed command on simulated machines, as a user would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.sim.build import build, environment
from tests.sim.target import bare_target

GPUDOCTOR = Path(sys.executable).with_name("gpudoctor")


@dataclass(frozen=True)
class Ran:
    """A finished run."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Standard output as the JSON report."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded

    @property
    def first(self) -> str | None:
        """The cause of the first finding that is more than a remark."""
        return next((f["cause"] for f in self.report["findings"] if f["severity"] != "info"), None)


def gpudoctor(*arguments: str, env: dict[str, str] | None = None, timeout_s: float = 120, stdin: str = "") -> Ran:
    """Run the installed command."""
    done = subprocess.run(
        [str(GPUDOCTOR), *arguments],
        env=env if env is not None else dict(os.environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Lab:
    """Simulated machines, each built once."""

    def __init__(self, folder: Path) -> None:
        self._target = bare_target(folder / "target")
        self._built = cache(lambda name: build(name, folder / name))

    def env(self, machine: str, faults: str = "", **variables: str) -> dict[str, str]:
        """A shell's environment on that machine. The target has no torch, whatever is installed beside the tests."""
        outside = {name: value for name, value in os.environ.items() if name in ("LANG", "LC_ALL", "HOME", "TMPDIR")}
        return {**outside, "VIRTUAL_ENV": str(self._target), **environment(self._built(machine), faults, variables)}

    def check(self, machine: str, *arguments: str, faults: str = "", **variables: str) -> Ran:
        """`gpudoctor check --quick --format json` on that machine."""
        return gpudoctor("check", "--quick", "--format", "json", *arguments, env=self.env(machine, faults, **variables))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))
