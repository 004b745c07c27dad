"""Nothing found because nothing could be read is 3; a machine without GPU or driver is a finding and 1."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gpudoctor.cli.findings.diagnosable import undiagnosable
from gpudoctor.derive import derive
from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import Driver, Facts, Nvml, Pci, PciGpu
from gpudoctor.model.probe_result import ProbeResult, ProbeStatus
from tests.cli.conftest import GPUDOCTOR, Lab, Ran

NOT_INSTALLED = Nvml(init_error=known("LIBRARY_NOT_FOUND", "nvml"), count=absent("tool_missing", "no library", "nvml"))
ONE_CARD = Pci(gpus=known((PciGpu(bus_id="0000:01:00.0"),), "sysfs"))
MODULE = Driver(module_loaded=known(value=True, source="/sys/module"))


def limited(lab: Lab, limit: str, *arguments: str) -> Ran:
    script = f'ulimit {limit}; exec "$@"'
    command = ["bash", "-c", script, "-", str(GPUDOCTOR), "check", "--quick", *arguments]
    env = lab.env("rtx4090x2")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=90, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def results(**statuses: ProbeStatus) -> list[ProbeResult]:
    return [ProbeResult(name, status, 0.0, "reason" if status != "ok" else "") for name, status in statuses.items()]


def test_a_machine_whose_files_are_hidden_is_not_diagnosed(lab: Lab, tmp_path: Path) -> None:
    """Empty /proc, /sys and /dev, and no driver library."""
    ran = lab.check("no-gpu", GPUDOCTOR_ROOT=str(tmp_path))
    assert (ran.code, ran.report["status"]) == (3, "unknown")
    error = ran.report["error"]
    assert (error["kind"], error["exit_code"]) == ("undiagnosable", 3)
    assert "/sys/bus/pci/devices does not exist" in error["message"]
    assert "/sys, /proc and /dev" in error["hint"]


def test_the_terminal_says_what_failed_and_what_to_do(lab: Lab) -> None:
    ran = limited(lab, "-n 8")
    assert ran.code == 3
    assert "Nothing wrong found" not in ran.out
    assert "Too many open files" in " ".join(ran.out.split())
    assert "hint: give it more files and processes (ulimit -a" in " ".join(ran.out.split())


@pytest.mark.parametrize("files", [8, 9, 10, 11, 12, 14])
def test_with_few_files_it_says_ok_only_where_it_has_looked(lab: Lab, files: int) -> None:
    ran = limited(lab, f"-n {files}", "--format", "json")
    answered = [probe["name"] for probe in ran.report["probes"] if probe["status"] == "ok"]
    assert ran.code in (0, 3)
    if ran.code == 0:
        assert "environment" in answered
        assert len(answered) > len(ran.report["probes"]) / 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root is not bound by the limit of processes")
def test_without_processes_nothing_is_said_to_be_fine(lab: Lab) -> None:
    ran = limited(lab, "-u 1", "--format", "json")
    assert (ran.code, ran.report["status"]) == (3, "unknown")


@pytest.mark.parametrize("machine", ["no-gpu", "nouveau", "driver-mismatch", "wedged-driver"])
def test_a_machine_without_gpu_or_driver_is_a_finding(lab: Lab, machine: str) -> None:
    ran = lab.check(machine)
    assert (ran.code, ran.report["status"]) == (1, "error")
    assert "error" not in ran.report


def test_an_error_that_was_found_stands_however_little_else_could_be_read(lab: Lab, tmp_path: Path) -> None:
    ran = lab.check("rtx4090x2", "--", "vllm serve org/model -tp 4", GPUDOCTOR_ROOT=str(tmp_path))
    assert (ran.code, ran.first) == (1, "tp_exceeds_gpus")


def test_the_bus_alone_does_not_tell_whether_the_driver_answers() -> None:
    problem = undiagnosable(derive(Facts(pci=ONE_CARD, driver=MODULE)), ())
    assert problem is not None
    assert "whether the driver answers" in problem.message


def test_a_driver_that_answers_with_an_error_has_answered() -> None:
    assert undiagnosable(derive(Facts(pci=ONE_CARD, driver=MODULE, nvml=NOT_INSTALLED)), ()) is None


def test_an_empty_bus_is_an_answer_without_any_driver() -> None:
    assert undiagnosable(derive(Facts(pci=Pci(gpus=known((), "sysfs")))), ()) is None


def test_one_lost_probe_is_no_reason_to_give_up() -> None:
    facts = derive(Facts(pci=Pci(gpus=known((), "sysfs"))))
    assert undiagnosable(facts, results(pci="ok", shm="failed", environment="ok")) is None


@pytest.mark.parametrize(
    "probes",
    [results(pci="ok", shm="failed", limits="timeout"), results(pci="ok", shm="ok", limits="ok", environment="failed")],
    ids=["most of them", "the environment"],
)
def test_what_a_diagnosis_cannot_do_without(probes: list[ProbeResult]) -> None:
    problem = undiagnosable(derive(Facts(pci=Pci(gpus=known((), "sysfs")))), probes)
    assert problem is not None
    assert problem.hint


def test_probes_that_were_left_out_on_purpose_do_not_count() -> None:
    facts = derive(Facts(pci=Pci(gpus=known((), "sysfs"))))
    assert undiagnosable(facts, results(pci="ok", torch="skipped", cuda="skipped", nccl="skipped")) is None


@pytest.mark.parametrize("machine", ["no-gpu", "nouveau", "driver-mismatch", "wedged-driver"])
def test_where_the_driver_is_dead_nothing_that_only_it_could_tell_is_listed_as_missing(lab: Lab, machine: str) -> None:
    assert lab.check(machine).report["not_evaluated"] == []
