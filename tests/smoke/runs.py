"""Runs of nccl-test as a process of its own, with what they leave behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FAULTY = HERE / "faulty_worker.py"
PLACES = (sys.executable, "python3")
# Without progress. Where nothing hangs it is long, because a busy machine must not look like a hang; where something
# does, the import of torch must still fit.
TIMEOUT_S = 60
OWNED = re.compile(r"nccl-of-(?P<mark>.+)-of-")
HANG_S = 10


@cache
def python_with_torch() -> str | None:
    """An interpreter that has torch: the tests' own, one that is named, or the one on PATH."""
    for place in (os.environ.get("GPUDOCTOR_TEST_TORCH_PYTHON", ""), *PLACES):
        path = shutil.which(place) if place else None
        command = [path or "", "-c", "import importlib.util as u; raise SystemExit(u.find_spec('torch') is None)"]
        if path and subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return path
    return None


needs_torch = pytest.mark.skipif(python_with_torch() is None, reason="no interpreter with torch was found")


@dataclass(frozen=True)
class Run:
    """A finished run."""

    exit_code: int
    report: dict[str, Any]
    stderr: str
    leftovers: tuple[str, ...]

    @property
    def smoke(self) -> dict[str, Any]:
        """The `smoke` key."""
        assert "smoke" in self.report, self.stderr
        smoke: dict[str, Any] = self.report["smoke"]
        return smoke

    @property
    def finding(self) -> dict[str, Any]:
        """The one finding."""
        (finding,) = self.report["findings"]
        assert isinstance(finding, dict)
        return finding


def command(*options: str, worker: Path | None = None, timeout_s: float = TIMEOUT_S) -> list[str]:
    """A command line; the worker is the shipped one unless another is given."""
    driver = ["-m", "gpudoctor"] if worker is None else [str(HERE / "drive.py")]
    return [sys.executable, *driver, "nccl-test", "--format", "json", "--timeout", str(timeout_s), *options]


def environment(worker: Path | None = None, **env: str) -> dict[str, str]:
    """Ours without what a launcher may have left, with a mark by which our processes are found again."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NCCL_", "GLOO_", "MASTER_"))}
    more = {"WORKER_FILE": str(worker)} if worker is not None else {}
    return {**kept, "CUDA_VISIBLE_DEVICES": "", **more, **env}


def run(
    *options: str, worker: Path | None = None, timeout_s: float = TIMEOUT_S, prefix: Sequence[str] = (), **env: str
) -> Run:
    """Run to the end, then look for what was left: processes, shared memory, temporary files."""
    mark = f"run-{os.getpid()}-{time.monotonic_ns()}"
    if "--python" not in options:
        options = (*options, "--python", python_with_torch() or "")
    before = names(mark)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*prefix, *command(*options, worker=worker, timeout_s=timeout_s)],
            env=environment(worker, **{"SMOKE_TEST_MARK": mark, "TMPDIR": folder, **env}),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        files = sorted(str(path) for path in Path(folder).rglob("*"))
    left = (*sorted(names(mark) - before), *files, *(f"process {pid}" for pid in marked(mark)))
    assert done.stdout, done.stderr
    return Run(done.returncode, json.loads(done.stdout), done.stderr, left)


def names(mark: str) -> set[str]:
    """Segments of shared memory by the names that torch, gloo and NCCL give them.

    Those that a test makes carry its mark: what another test has made beside us is none of our leftovers.
    """
    found = [path for path in Path("/dev/shm").iterdir() if path.name.startswith(("nccl", "torch", "gpudoctor"))]
    owned = {path: OWNED.match(path.name) for path in found}
    return {str(path) for path, owner in owned.items() if owner is None or owner["mark"] == mark}


def marked(mark: str) -> list[int]:
    """Living processes that carry the mark."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if mark.encode() in (path / "environ").read_bytes():
                    found.append(int(path.name))
            except OSError:
                continue
    return found


def gone(mark: str, seconds: float = 5) -> bool:
    """Whether every process with the mark ends in time."""
    deadline = time.monotonic() + seconds
    while marked(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def start_and_signal(number: signal.Signals, mark: str, litter: Path) -> subprocess.Popen[str]:
    """Start a run whose rank 1 leaves litter and sleeps; when it has, send the launcher a signal."""
    env = environment(FAULTY, SMOKE_TEST_MARK=mark, FAULT="litter", FAULT_PHASE="correctness", LITTER_FILE=str(litter))
    argv = command("--python", python_with_torch() or "", worker=FAULTY, timeout_s=60)
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not litter.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    return process
