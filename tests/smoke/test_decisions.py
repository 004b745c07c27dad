"""Every row of the decision table, by real processes on made-up GPUs, and the table in the documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gpudoctor.paths import data_file
from tests.smoke.conftest import Decisions
from tests.smoke.decision_table import AGAIN, CASES, Case, table, tried
from tests.smoke.runs import Run

DOCS = Path(__file__).parents[2] / "docs" / "nccl-test.md"
SCHEMA = jsonschema.Draft202012Validator(json.loads(data_file("report.schema.json").read_text()))


def trial(run: Run, name: str) -> dict[str, Any]:
    """Of one name."""
    found = [one for one in run.smoke["trials"] if one["name"] == name]
    assert found, json.dumps(run.report["findings"] + [run.smoke])
    assert isinstance(found[0], dict)
    return found[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_trials_separate_the_cause(case: Case, decisions: Decisions) -> None:
    run = decisions.start(case).result()
    findings = [one for one in run.report["findings"] if one["severity"] != "info"]
    assert (run.smoke["verdict"], tried(run), run.exit_code) == (case.verdict, case.tried, case.exit_code)
    assert [one["cause"] for one in findings[:1]] == ([case.cause] if case.cause else [])
    assert case.names in (f"{findings[0]['title']} {findings[0]['subject']}" if findings else "")
    assert run.leftovers == ()
    SCHEMA.validate(run.report)


@pytest.mark.parametrize("case", [case for case in CASES if AGAIN in case.tried], ids=lambda case: case.name)
def test_a_cure_counts_only_where_the_same_work_failed_again(case: Case, decisions: Decisions) -> None:
    run = decisions.start(case).result()
    again = trial(run, AGAIN)
    separated = run.smoke["decision"]["status"] == "separated"
    assert separated == (again["verdict"] != "pass")


@pytest.mark.parametrize("case", [case for case in CASES if "control" in case.tried], ids=lambda case: case.name)
def test_the_control_switches_everything_off(case: Case, decisions: Decisions) -> None:
    run = decisions.start(case).result()
    control = trial(run, "control")
    assert set(control["env"]) > {"NCCL_P2P_DISABLE", "NCCL_SHM_DISABLE", "NCCL_NVLS_ENABLE", "NCCL_IB_DISABLE"}
    assert (control["verdict"] == "pass") == (run.smoke["decision"]["part"] not in ("gpu", "")) or (
        run.smoke["decision"]["status"] == "not_reproduced"
    )


def test_a_workaround_is_never_the_first_fix_for_p2p(decisions: Decisions) -> None:
    for case in CASES:
        if case.cause in ("p2p_broken", "iommu_acs", "nvlink_fault"):
            run = decisions.start(case).result()
            best = run.report["findings"][0]["fixes"][0]
            assert "NCCL_P2P_DISABLE" not in f"{best['command']} {best['env']}" or "Test, not cure" in best["title"]


def test_the_table_in_the_documentation_is_this_one() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")
