"""Every kind of injected fault, in both libraries and in nvidia-smi."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sim import stubs
from tests.sim.build import environment
from tests.sim.conftest import Machines
from tests.sim.harness import cuda, nvml, run_python

MEMORY = "[ask(lambda g: nvmlDeviceGetMemoryInfo(g).total >> 20, g) for g in gpus]"
INIT = "import pynvml; pynvml.nvmlInit()"


def test_error_on_every_device(machines: Machines) -> None:
    assert nvml(machines("rtx4090x2"), MEMORY, "nvmlDeviceGetMemoryInfo=error:15") == ["error 15"] * 2


@pytest.mark.parametrize("fault", ["nvmlDeviceGetMemoryInfo@1=error:15", "nvmlDeviceGetMemoryInfo=error:15@1"])
def test_error_on_one_device(machines: Machines, fault: str) -> None:
    assert nvml(machines("rtx4090x2"), MEMORY, fault) == [24564, "error 15"]


def test_a_name_with_version_is_meant_for_that_version(machines: Machines) -> None:
    assert nvml(machines("rtx4090x2"), MEMORY, "nvmlDeviceGetMemoryInfo_v2=error:15") == [24564] * 2


def test_a_lost_gpu_gives_no_handle(machines: Machines) -> None:
    faults = "nvmlDeviceGetHandleByIndex@1=error:15"
    assert nvml(machines("rtx4090x2"), "[isinstance(gpu, str) for gpu in gpus]", faults) == [False, True]


def test_several_faults(machines: Machines) -> None:
    faults = "nvmlDeviceGetName=error:999;nvmlDeviceGetMemoryInfo@0=error:4"
    assert nvml(machines("rtx4090x2"), f"[{MEMORY}, ask(nvmlDeviceGetName, gpus[0])]", faults) == [
        ["error 4", 24564],
        "error 999",
    ]


@pytest.mark.parametrize("kind", ["hang", "dstate"])
def test_hang(machines: Machines, kind: str) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_python(machines("rtx4090x2"), INIT, f"nvmlInit={kind}", timeout=1.5)


def test_a_hanging_call_ignores_sigterm(machines: Machines) -> None:
    folder = machines("rtx4090x2")
    code = f"import sys; sys.stdout.write('in\\n'); sys.stdout.flush(); {INIT}"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(folder, "nvmlInit=hang"),
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.5)
        child.terminate()
        time.sleep(0.3)
        assert child.poll() is None
        child.kill()


def test_dstate_looks_like_a_task_in_the_driver(machines: Machines) -> None:
    folder = machines("rtx4090x2")
    code = f"import sys; sys.stdout.write('in\\n'); sys.stdout.flush(); {INIT}"
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment(folder, "nvmlInit=dstate"), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        deadline = time.monotonic() + 5
        state = ""
        while state != "D" and time.monotonic() < deadline:
            time.sleep(0.05)
            state = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0]
        child.kill()
    assert state == "D"


@pytest.mark.parametrize(
    ("kind", "code"), [("crash", -signal.SIGSEGV), ("abort", -signal.SIGABRT), ("exit", 1), ("exit:7", 7)]
)
def test_deadly_faults(machines: Machines, kind: str, code: int) -> None:
    assert run_python(machines("rtx4090x2"), INIT, f"nvmlInit={kind}").returncode == code


def test_sleep(machines: Machines) -> None:
    started = time.monotonic()
    assert run_python(machines("rtx4090x2"), INIT, "nvmlInit=sleep:0.6").returncode == 0
    assert time.monotonic() - started >= 0.6


def test_missing_means_not_in_the_library(machines: Machines) -> None:
    code = """
import ctypes
library = ctypes.CDLL("libnvidia-ml.so.1")
print(hasattr(library, "nvmlDeviceGetMemoryInfo"), hasattr(library, "nvmlDeviceGetMemoryInfo_v2"),
      hasattr(library, "nvmlDeviceGetName"))
"""
    done = run_python(machines("rtx4090x2"), code, "nvmlDeviceGetMemoryInfo_v2=missing")
    assert done.stdout.split() == ["True", "False", "True"]
    assert nvml(machines("rtx4090x2"), MEMORY, "nvmlDeviceGetMemoryInfo=missing") == ["error 13"] * 2


def test_faults_of_the_cuda_driver(machines: Machines) -> None:
    assert cuda(machines("rtx4090x2"), faults="cuInit=error:802") == 802
    assert cuda(machines("rtx4090x2"), 'hasattr(cuda, "cuDeviceGetUuid_v2")', "cuDeviceGetUuid_v2=missing") is False


def _smi(folder: Path, faults: str, timeout: float = 5) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "bin" / "nvidia-smi"), "-L"],
        env=environment(folder, faults),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_faults_of_nvidia_smi(machines: Machines) -> None:
    folder = machines("rtx4090x2")
    assert _smi(folder, "").returncode == 0
    assert _smi(folder, "nvmlInit=hang;nvidia-smi=error:9;cuInit=hang").returncode == 9
    with pytest.raises(subprocess.TimeoutExpired):
        _smi(folder, "nvidia-smi=hang", timeout=1)


def test_the_wedged_machine_hangs_by_itself(machines: Machines) -> None:
    folder = machines("wedged-driver")
    with pytest.raises(subprocess.TimeoutExpired):
        run_python(folder, INIT, timeout=1.5)
    with pytest.raises(subprocess.TimeoutExpired):
        _smi(folder, "", timeout=1)


@pytest.mark.parametrize(
    ("name", "error"), [("driver-mismatch", "LibRmVersionMismatch"), ("nouveau", "DriverNotLoaded")]
)
def test_machines_on_which_init_fails(machines: Machines, name: str, error: str) -> None:
    assert f"NVMLError_{error}" in run_python(machines(name), INIT).stderr


def test_machines_on_which_cuda_does_not_start(machines: Machines) -> None:
    assert [cuda(machines(name)) for name in ("h100x8-fabric-down", "driver-mismatch", "nouveau")] == [802, 803, 100]


def test_the_machine_that_lost_a_gpu(machines: Machines) -> None:
    expression = "[isinstance(gpu, str) and gpu for gpu in gpus]"
    assert nvml(machines("l40sx4-gpu-lost"), expression) == [False, False, "error 15", False]
    assert len(cuda(machines("l40sx4-gpu-lost"))) == 3


def test_calls_can_be_recorded(machines: Machines, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    run_python(machines("rtx4090x2"), INIT, env={"GPUSIM_CALLS": str(log)})
    assert [line.split()[1:] for line in log.read_text().splitlines()] == [
        ["nvmlInitWithFlags", "-1"],
        ["nvmlInit", "-1"],
    ]


def test_all_that_nvidia_ml_py_binds_is_exported() -> None:
    """So that a function that is not modelled answers "not supported", as a driver does, and is not "missing"."""
    pynvml = pytest.importorskip("pynvml")
    source = Path(pynvml.__file__).read_text(encoding="utf-8")
    bound = {part.partition('"')[0] for part in source.split('_nvmlGetFunctionPointer("')[1:]}
    assert bound <= set(stubs.nvml_functions())
    assert {"cuInit", "cuDeviceCanAccessPeer"} <= set(stubs.cuda_functions())
