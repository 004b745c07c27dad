"""Which of the shell's variables reach the run is the launch command's choice, for every probe alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Lab, gpudoctor

VLLM = ("vllm", "serve", "facebook/opt-125m", "--tensor-parallel-size", "2")
DOCKER = ("docker", "run", "--gpus", "all", "--ipc=host")


@pytest.mark.parametrize(
    ("launch", "visible"),
    [
        (VLLM, 1),
        (("env", "-u", "CUDA_VISIBLE_DEVICES", *VLLM), 2),
        (("env", "-i", *VLLM), 2),
        (("env", "-i", "CUDA_VISIBLE_DEVICES=1", *VLLM), 1),
        (("CUDA_VISIBLE_DEVICES=1,0", *VLLM), 2),
        ((*DOCKER, "vllm/vllm-openai", "--model", "x", "--tensor-parallel-size", "2"), 2),
        ((*DOCKER, "-e", "CUDA_VISIBLE_DEVICES", "vllm/vllm-openai", "--model", "x", "-tp", "2"), 1),
    ],
)
def test_visible_devices_follow_the_launch_command(lab: Lab, launch: tuple[str, ...], visible: int) -> None:
    report = lab.check("rtx4090x2", "--", *launch, CUDA_VISIBLE_DEVICES="0").report
    assert report["facts"]["gpus"]["visible_count"]["value"] == visible
    assert len(report["facts"]["cuda"]["visible_uuids"].get("value") or ["", ""]) == visible
    assert ("tp_exceeds_gpus" in {f["cause"] for f in report["findings"]}) == (visible < 2)


FILTERED = [("sudo", *VLLM), ("sudo", "-u", "svc", "bash", "-c", " ".join(VLLM)), ("doas", *VLLM)]
ELSEWHERE = [
    ("ssh", "gpu2", *VLLM),
    ("ssh", "gpu2", " ".join(VLLM)),
    ("kubectl", "exec", "-it", "pod", "--", *VLLM),
    ("docker", "exec", "-e", "NCCL_DEBUG=INFO", "box", *VLLM),
]


def missing_of(report: dict[str, Any], rule: str) -> str:
    return next(" ".join(entry["missing"]) for entry in report["not_evaluated"] if entry["rule"] == rule)


@pytest.mark.parametrize("launch", FILTERED, ids=" ".join)
def test_what_sudo_may_drop_is_unknown_where_the_shell_sets_it(lab: Lab, launch: tuple[str, ...]) -> None:
    report = lab.check("rtx4090x2", "--", *launch, CUDA_VISIBLE_DEVICES="0", NCCL_DEBUG="TRACE").report
    assert "tp_exceeds_gpus" not in {finding["cause"] for finding in report["findings"]}
    missing = missing_of(report, "tp-exceeds-visible-gpus")
    assert missing.startswith("gpus.visible_count: not_provided")
    assert "drops the shell's variables" in missing
    assert "NCCL_DEBUG" in missing_of(report, "nccl-debug-left-on")


@pytest.mark.parametrize(
    "launch",
    [
        ("sudo", "-E", *VLLM),
        ("sudo", "--preserve-env=CUDA_VISIBLE_DEVICES", *VLLM),
        ("sudo", "CUDA_VISIBLE_DEVICES=0", *VLLM),
    ],
    ids=" ".join,
)
def test_what_sudo_is_told_to_pass_on_is_known(lab: Lab, launch: tuple[str, ...]) -> None:
    assert lab.check("rtx4090x2", "--", *launch, CUDA_VISIBLE_DEVICES="0").first == "tp_exceeds_gpus"


def test_what_the_shell_does_not_set_sudo_cannot_drop(lab: Lab) -> None:
    report = lab.check("rtx4090x2", "--", "sudo", *VLLM).report
    assert report["facts"]["gpus"]["visible_count"]["value"] == 2


@pytest.mark.parametrize("launch", ELSEWHERE, ids=" ".join)
def test_variables_and_gpus_of_another_place_are_unknown(lab: Lab, launch: tuple[str, ...]) -> None:
    report = lab.check("rtx4090x2", "--", *launch, CUDA_VISIBLE_DEVICES="0").report
    assert [finding for finding in report["findings"] if finding["severity"] == "error"] == []
    assert "another environment" in missing_of(report, "tp-exceeds-visible-gpus")
    assert "Run gpudoctor there" in " ".join(report["notes"])


def test_a_variable_that_only_the_shell_will_fill_in_is_unknown(lab: Lab) -> None:
    report = lab.check("rtx4090x2", "--", "CUDA_VISIBLE_DEVICES=$MY_GPUS vllm serve x -tp 2").report
    assert "takes it from the shell" in missing_of(report, "tp-exceeds-visible-gpus")


SAME_AS_LIVE = [
    VLLM,
    ("CUDA_VISIBLE_DEVICES=1", *VLLM),
    ("env", "-i", *VLLM),
    ("env", "-u", "CUDA_VISIBLE_DEVICES", "NCCL_P2P_DISABLE=0", *VLLM),
    ("NCCL_P2P_LEVLE=SYS", "VLLM_NCCL_SO_PATH=/nowhere/libnccl.so.2", *VLLM),
    ("sudo", *VLLM),
    ("ssh", "gpu2", *VLLM),
    (*DOCKER, "-e", "NCCL_DEBUG=TRACE", "vllm/vllm-openai", "--model", "x", "--tensor-parallel-size", "2"),
]


@pytest.mark.parametrize("launch", SAME_AS_LIVE, ids=" ".join)
def test_a_snapshot_takes_the_environment_of_the_launch_command(
    lab: Lab, launch: tuple[str, ...], tmp_path: Path
) -> None:
    """The machine's shell is in the snapshot; what the command makes of it is the same there as on the machine."""
    file = tmp_path / "snapshot.json"
    shell = {"CUDA_VISIBLE_DEVICES": "0", "NCCL_P2P_DISABLE": "1"}
    gpudoctor("snapshot", "--quick", "-o", str(file), env=lab.env("rtx4090x2", **shell))
    live = lab.check("rtx4090x2", "--", *launch, **shell).report
    offline = gpudoctor("check", "--snapshot", str(file), "--format", "json", "--", *launch).report
    for part in ("variables", "variables_undecided", "unknown_nccl", "unknown_nccl_meant"):
        assert offline["facts"]["environment"].get(part) == live["facts"]["environment"].get(part), part
    count = [report["facts"]["gpus"]["visible_count"] for report in (offline, live)]
    assert count[0].get("value") == count[1].get("value")
    assert [finding["id"] for finding in offline["findings"]] == [finding["id"] for finding in live["findings"]]


def test_what_was_found_under_other_variables_does_not_count(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor("snapshot", "--quick", "-o", str(file), env=lab.env("rtx4090x2", CUDA_VISIBLE_DEVICES="0"))
    launch = ("CUDA_VISIBLE_DEVICES=0,1", "LD_LIBRARY_PATH=/opt/nccl", *VLLM)
    facts = gpudoctor("check", "--snapshot", str(file), "--format", "json", "--", *launch).report["facts"]
    assert facts["gpus"]["visible_count"]["value"] == 2
    assert "another CUDA_VISIBLE_DEVICES" in facts["cuda"]["visible_uuids"]["detail"]
