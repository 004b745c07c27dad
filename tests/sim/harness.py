"""Runs Python on a simulated machine, for the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.sim.build import environment

_NVML = """
import json, pynvml
from pynvml import *
def ask(function, *arguments):
    try:
        return function(*arguments)
    except NVMLError as error:
        return f"error {error.value}"
nvmlInit()
gpus = [ask(nvmlDeviceGetHandleByIndex, i) for i in range(nvmlDeviceGetCount())]
"""

_CUDA = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
def names():
    code = cuda.cuInit(0)
    if code:
        return code
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    found = []
    for device in range(count.value):
        text = ctypes.create_string_buffer(64)
        cuda.cuDeviceGetPCIBusId(text, 64, device)
        found.append(text.value.decode().lower())
    return found
def number(function, *arguments, kind=ctypes.c_int):
    value = kind()
    return [getattr(cuda, function)(ctypes.byref(value), *arguments), value.value]
"""


def run_python(
    folder: Path, code: str, faults: str = "", env: Mapping[str, str] | None = None, timeout: float = 20
) -> subprocess.CompletedProcess[str]:
    """A new interpreter on the machine in `folder`."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment(folder, faults, env),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def nvml(folder: Path, expression: str, faults: str = "") -> Any:
    """The value of an expression over `gpus` (the handles) and `ask` (a call, or "error N")."""
    return _answer(run_python(folder, f"{_NVML}\nprint(json.dumps({expression}))", faults))


def cuda(folder: Path, expression: str = "names()", faults: str = "", **env: str) -> Any:
    """The value of an expression over the library `cuda` and two functions.

    `names()`: PCI addresses in CUDA's order, or the error of cuInit. `number(function, ...)`: [error, value].
    """
    return _answer(run_python(folder, f"{_CUDA}\nprint(json.dumps({expression}))", faults, env))
