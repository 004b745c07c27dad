"""`check --smoke`: what the run proves leads, and what it refutes is not said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.smoke.runs import Run
from tests.smoke.simulated import simulate

ACS = "rtx4090x4-p2p-patched-acs"
FOUR: dict[str, Any] = {"gpus": 4, "link": "PIX"}
WRONG: dict[str, Any] = {**FOUR, "faults": [{"where": "p2p", "what": "wrong"}]}


def check(folder: Path, spec: dict[str, Any], *options: str, host: str = ACS, **env: str) -> Run:
    return simulate(folder, spec, *options, host=host, env=env, verb=("check", "--smoke"))


def ids(run: Run) -> list[str]:
    return [finding["id"] for finding in run.report["findings"]]


def test_the_proved_cause_leads_with_the_bridges_of_this_machine(tmp_path: Path) -> None:
    run = check(tmp_path, WRONG, "--tp", "2")
    first = run.report["findings"][0]
    assert (first["id"], first["cause"], run.exit_code) == ("smoke-p2p-behind-acs", "iommu_acs", 1)
    assert "0000:42:00.0" in first["fixes"][0]["command"]
    assert "acs-redirect-translating-iommu" not in ids(run)
    assert run.smoke["decision"]["part"] == "p2p"


def test_a_suspicion_that_the_run_refutes_is_not_said(tmp_path: Path) -> None:
    run = check(tmp_path, FOUR, "--tp", "2")
    assert run.smoke["verdict"] == "pass"
    assert "smoke-p2p-works" in ids(run)
    assert not {"acs-redirect-translating-iommu", "iommu-translating-acs-unknown"} & set(ids(run))


def test_the_variables_of_the_launch_command_are_tested_too(tmp_path: Path) -> None:
    fault = {"where": "setting", "what": "wrong", "name": "NCCL_PROTO=LL128"}
    launch = ("--", "env", "NCCL_PROTO=LL128", "vllm", "serve", "m", "--tensor-parallel-size", "2")
    run = check(tmp_path, {"faults": [fault]}, *launch, host="rtx3090x2-no-nvlink")
    assert run.report["findings"][0]["id"] == "smoke-own-setting"
    assert run.smoke["decision"]["settings"] == ["NCCL_PROTO"]


def test_what_no_rule_knows_the_run_says_itself(tmp_path: Path) -> None:
    words = "init.cc:1 CUDA failure: uncorrectable NVLink error"
    fault = {"where": "all", "what": "error", "stage": "connect", "warn": words, "result": 1}
    run = check(tmp_path, {"faults": [fault]}, "--tp", "2", host="rtx3090x2-no-nvlink")
    assert (run.report["findings"][0]["id"], run.smoke["decision"]["status"]) == ("nccl-test-gpu-fault", "said")


def test_more_ranks_than_gpus_are_not_run(tmp_path: Path) -> None:
    run = check(tmp_path, {}, "--tp", "4", host="rtx3090x2-no-nvlink")
    assert "smoke" not in run.report
    assert run.report["findings"][0]["cause"] == "tp_exceeds_gpus"
    assert any("not run" in note for note in run.report["notes"])


@pytest.mark.parametrize("other", [("--quick",), ("--snapshot", "x.json")])
def test_it_runs_torch_on_this_machine_or_not_at_all(tmp_path: Path, other: tuple[str, ...]) -> None:
    run = check(tmp_path, {}, *other, host="rtx3090x2-no-nvlink")
    assert run.exit_code == 2
    assert "--smoke" in run.report["error"]["message"]
