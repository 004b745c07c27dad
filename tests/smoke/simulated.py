"""Smoke runs on made-up GPUs: the stand-in for torch, alone or on a simulated machine of `fixtures/hosts`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.sim.build import build
from tests.sim.build import environment as machine_environment
from tests.smoke.runs import HERE, Run, marked

STANDIN = HERE / "standin"
HANG_S = 6  # the stand-in starts in a fraction of a second, on a busy machine in some


def simulate(
    folder: Path,
    spec: Mapping[str, Any],
    *options: str,
    host: str = "",
    env: Mapping[str, str] | None = None,
    verb: Sequence[str] = ("nccl-test",),
    timeout_s: float = HANG_S,
) -> Run:
    """Run to the end on the GPUs that `spec` describes (the fields of the stand-in's `_machine.py`)."""
    file = folder / "gpus.json"
    file.write_text(json.dumps(spec))
    mark = f"simulated-{os.getpid()}-{folder}"
    deadline = ["--timeout", str(timeout_s)] if verb[0] == "nccl-test" else []
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", *verb, "--format", "json", "--python", sys.executable, *deadline, *options],
        env={**standin_environment(folder, file, host), "SMOKE_TEST_MARK": mark, **(env or {})},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout, done.stderr
    left = tuple(f"process {pid}" for pid in marked(mark))
    return Run(done.returncode, json.loads(done.stdout), done.stderr, left)


def standin_environment(folder: Path, file: Path, host: str) -> dict[str, str]:
    ours = {"STANDIN_MACHINE": str(file), "PYTHONPATH": f"{STANDIN}{os.pathsep}{HERE.parents[1]}"}
    if host:
        return machine_environment(build(host, folder / "machine"), "", ours)
    unwanted = ("NCCL_", "GLOO_", "MASTER_", "CUDA_", "GPUDOCTOR_ROOT")
    return {**{key: value for key, value in os.environ.items() if not key.startswith(unwanted)}, **ours}
