"""JUnit, GitHub, SARIF and Prometheus say the same as the report."""

from __future__ import annotations

import json
from typing import Literal
from xml.etree import ElementTree

import pytest

from gpudoctor.model.finding import Evidence
from gpudoctor.render import RenderOptions
from tests.render import machines
from tests.render.drawing import draw
from tests.render.samples import SAMPLES, finding, report


def junit(sample: str, fail_on: Literal["error", "warning", "never"] = "error") -> ElementTree.Element:
    text = draw(SAMPLES[sample](), "junit", RenderOptions(fail_on=fail_on))
    return ElementTree.fromstring(text)  # noqa: S314 - our own output is under test


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 1), ("warning", 3), ("never", 0)])
def test_junit_failures_follow_fail_on(fail_on: Literal["error", "warning", "never"], failures: int) -> None:
    root = junit("tp_error", fail_on)
    assert len(root.findall(".//failure")) == failures
    suite = root.find("testsuite[@name='gpudoctor.rules']")
    assert suite is not None
    assert suite.get("failures") == str(failures)


def test_junit_tells_undecided_rules_and_failed_probes_from_failures() -> None:
    root = junit("timeouts")
    suites = {suite.get("name"): suite for suite in root}
    rules, probes = suites["gpudoctor.rules"], suites["gpudoctor.probes"]
    assert (rules.get("skipped"), rules.get("errors"), rules.get("failures")) == ("3", "1", "0")
    assert (probes.get("errors"), probes.get("skipped"), probes.get("tests")) == ("2", "1", "4")


def test_junit_has_a_passing_case_where_nothing_is_wrong() -> None:
    root = junit("healthy")
    case = root.find("testsuite[@name='gpudoctor.rules']/testcase")
    assert case is not None
    assert case.get("name") == "84 rules evaluated"
    assert len(case) == 0


def test_github_points_at_the_line_of_the_log() -> None:
    first = draw(SAMPLES["tp_error"](), "github").splitlines()[0]
    assert first.startswith("::error title=tp-exceeds-visible-gpus%3A TP size 4")
    assert ",file=serve.log,line=41::" in first


def test_github_folds_what_a_step_would_not_show() -> None:
    many = tuple(finding(rank, f"rule-{rank}", "warning", f"title {rank}") for rank in range(1, 16))
    lines = draw(report("warning", machines.no_gpu(), many), "github").splitlines()
    assert len([line for line in lines if line.startswith("::warning")]) == 10
    assert lines[9].startswith("::warning title=gpudoctor%3A 6 more::rule-10: title 10%0Arule-11")
    ten = draw(report("warning", machines.no_gpu(), many[:10]), "github").splitlines()
    assert "::warning title=rule-10%3A title 10::title 10" in ten


def test_sarif_points_at_file_and_gpu_and_keeps_the_fingerprint() -> None:
    document = json.loads(draw(SAMPLES["eight_gpus"](), "sarif"))
    run = document["runs"][0]
    lost = next(result for result in run["results"] if result["ruleId"] == "gpu-lost")
    assert document["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][lost["ruleIndex"]]["id"] == "gpu-lost"
    assert lost["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "dmesg"},
        "region": {"startLine": 2114},
    }
    assert lost["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "gpu:7", "kind": "resource"}]
    assert lost["partialFingerprints"] == {"gpudoctor/v1": SAMPLES["eight_gpus"]().findings[1].fingerprint}


def test_sarif_levels_and_undecided_rules() -> None:
    results = json.loads(draw(SAMPLES["eight_gpus"](), "sarif"))["runs"][0]["results"]
    assert [result["level"] for result in results] == ["error", "error", "warning", "note", "none", "none", "none"]
    assert [result["kind"] for result in results] == ["fail"] * 4 + ["open"] * 3


def test_sarif_quotes_paths_that_are_no_uri() -> None:
    place = Evidence(file="my log 100%.txt", text="x")
    shown = json.loads(
        draw(report("error", machines.no_gpu(), (finding(1, "r", "error", "t", evidence=(place,)),)), "sarif")
    )
    location = shown["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "my%20log%20100%25.txt"}}


def test_sarif_of_a_run_that_diagnosed_nothing_was_not_successful() -> None:
    invocation = json.loads(draw(SAMPLES["timeouts"](), "sarif"))["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == 2


def test_prometheus_has_one_series_for_each_gpu_and_none_twice() -> None:
    twice = tuple(finding(rank, "r", "error", f"t{rank}", subject="gpu:0,gpu:1") for rank in (1, 2))
    lines = draw(report("error", machines.two_cards(), twice), "prometheus").splitlines()
    series = [line for line in lines if line.startswith("gpudoctor_finding{")]
    labels = 'rule="r",cause="p2p_broken",severity="error"'
    assert series == [f'gpudoctor_finding{{{labels},gpu="0"}} 1', f'gpudoctor_finding{{{labels},gpu="1"}} 1']


def test_prometheus_says_when_and_which_status() -> None:
    text = draw(SAMPLES["timeouts"](), "prometheus")
    assert "gpudoctor_last_run_timestamp_seconds 1795230000\n" in text
    assert 'gpudoctor_status{status="unknown"} 1\n' in text
    assert 'gpudoctor_probe_success{probe="nvml"} 0\n' in text
    assert 'probe="torch"' not in text  # skipped is neither success nor failure
