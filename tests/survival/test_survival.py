"""A part of the survival matrix in every run: each function that `check` calls crashes once, some hang."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.build import build
from tests.survival.matrix import Fault, called_functions, judge, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("rtx3090x2-nvlink", tmp_path_factory.mktemp("survival") / "machine")


def test_every_function_may_crash(folder: Path, tmp_path: Path) -> None:
    functions = called_functions(folder, tmp_path)
    assert len(functions) > 40
    sound, code, _ = run(folder, "")
    assert sound is not None
    assert code == 0
    outcomes = [judge(Fault(function, "crash"), folder, sound) for function in functions]
    assert {str(outcome.fault): outcome.problems for outcome in outcomes if outcome.problems} == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault("nvmlInit", "hang"),
        Fault("nvmlDeviceGetHandleByIndex", "hang"),
        Fault("nvmlDeviceGetTemperature", "hang"),
        Fault("nvmlDeviceGetP2PStatus", "dstate"),
        Fault("cuInit", "hang"),
        Fault("cuDeviceCanAccessPeer", "hang"),
        Fault("nvmlDeviceGetMemoryInfo", "error:15"),
        Fault("nvmlInit", "error:18"),
        Fault("nvmlDeviceGetName", "missing"),
        Fault("cuInit", "exit"),
    ],
    ids=str,
)
def test_a_fault_is_survived(folder: Path, fault: Fault) -> None:
    sound, _, _ = run(folder, "")
    assert sound is not None
    assert judge(fault, folder, sound).problems == ()


def test_two_hanging_functions_are_both_named(folder: Path) -> None:
    report, code, _ = run(folder, "nvmlDeviceGetTemperature=hang;nvmlDeviceGetPowerUsage=hang")
    assert report is not None
    assert code == 0
    reason = next(probe["reason"] for probe in report["probes"] if probe["name"] == "nvml")
    assert "nvmlDeviceGetTemperature" in reason
    assert "nvmlDeviceGetPowerUsage" in reason


def test_nothing_but_hangs_is_still_a_report(folder: Path) -> None:
    report, code, seconds = run(folder, "nvmlInit=hang;cuInit=hang;nvidia-smi=hang;dmesg=hang;journalctl=hang")
    assert report is not None
    assert code in (0, 1)
    assert seconds < 8  # the promise of --timeout: six seconds and two
