"""`gpudoctor diagnose`: text in, cause out; every way out has its code and its document."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Lab, gpudoctor
from tests.render.shipped import validator

CRASH = """\
[rank1]: Traceback (most recent call last):
[rank1]:   File "train.py", line 9, in <module>
[rank1]:     torch.cuda.init()
[rank1]: RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver
"""
HEALTHY = """\
INFO 11-02 10:00:00 llm_engine.py:237] Initializing an LLM engine (v0.6.3) with config: tensor_parallel_size=2
NCCL INFO NET/Plugin: No plugin found (libnccl-net.so), using internal implementation
INFO:     Application startup complete.
"""
FORMATS = ("text", "json", "markdown", "html", "junit", "sarif", "github", "prometheus")


@pytest.fixture
def crash(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text(CRASH)
    return path


def test_the_deciding_line_is_quoted_with_file_line_and_rank(crash: Path) -> None:
    ran = gpudoctor("diagnose", str(crash), "--format", "json")
    assert ran.code == 1
    finding = ran.report["findings"][0]
    assert finding["cause"] == "driver_too_old"
    assert finding["evidence"][0]["file"] == "log.txt"
    assert finding["evidence"][0]["line"] == 4
    assert "is too old (found version 11040)" in finding["evidence"][0]["text"]
    assert finding["evidence"][0]["label"] == "rank 1"
    validator().validate(ran.report)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_names_the_cause(crash: Path, format_name: str) -> None:
    ran = gpudoctor("diagnose", str(crash), "--format", format_name)
    assert ran.code == 1, ran.err
    assert "driver" in ran.out
    if format_name not in ("prometheus", "junit", "github", "sarif"):
        assert "found version 11040" in " ".join(ran.out.split())


def test_a_pipe_and_a_packed_file_say_the_same(crash: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed" / "log.txt"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(CRASH.encode()))
    plain = gpudoctor("diagnose", str(crash), "--format", "json").report
    for ran in (
        gpudoctor("diagnose", "-", "--format", "json", stdin=CRASH),
        gpudoctor("diagnose", str(packed), "--format", "json"),
    ):
        assert [one["id"] for one in ran.report["findings"]] == [one["id"] for one in plain["findings"]]
        assert ran.code == 1


def test_a_healthy_run_is_quiet_and_what_was_passed_over_is_told_on_request(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(HEALTHY)
    ran = gpudoctor("diagnose", str(path), "--format", "json")
    assert (ran.code, ran.report["status"], ran.report["findings"]) == (0, "ok", [])
    told = gpudoctor("diagnose", str(path), "--ignored", "--format", "json").report["notes"]
    assert any("passed over: log.txt:2" in note and "plug-in is optional" in note for note in told)


def test_text_in_which_nothing_is_recognised_is_no_diagnosis(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("Shall I compare thee to a summer's day?\n" * 10)
    ran = gpudoctor("diagnose", str(path), "--format", "json")
    assert (ran.code, ran.report["status"]) == (3, "unknown")
    assert "nothing in this text was recognised" in ran.report["error"]["message"]


def test_a_failed_run_that_no_rule_explains_is_not_well(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text('Traceback (most recent call last):\n  File "x.py", line 1\nOddError: qwertyuiop\n')
    ran = gpudoctor("diagnose", str(path), "--format", "json")
    assert ran.code == 3
    assert "OddError: qwertyuiop" in ran.report["error"]["message"]


@pytest.mark.parametrize("what", ["missing.txt", "."])
def test_a_file_that_cannot_be_read_is_exit_2_with_a_document(what: str, tmp_path: Path) -> None:
    ran = gpudoctor("diagnose", str(tmp_path / what), "--format", "json")
    assert ran.code == 2
    assert ran.report["error"]["exit_code"] == 2


def test_binary_garbage_is_no_diagnosis(tmp_path: Path) -> None:
    path = tmp_path / "core"
    path.write_bytes(bytes(range(256)) * 5000)
    ran = gpudoctor("diagnose", str(path), "--format", "json")
    assert (ran.code, ran.report["status"]) == (3, "unknown")


def test_a_snapshot_among_the_files_gives_its_facts(lab: Lab, crash: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.json"
    written = gpudoctor("snapshot", "--quick", "-o", str(snapshot), env=lab.env("rtx4090x2"))
    assert written.code == 0, written.err
    report = gpudoctor("diagnose", str(crash), str(snapshot), "--format", "json").report
    assert report["host"]["gpu_count"] == 2
    assert report["findings"][0]["cause"] == "driver_too_old"


def test_files_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name / "log.txt" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(CRASH)
    report = gpudoctor("diagnose", *map(str, paths), "--format", "json").report
    assert {item["file"] for item in report["findings"][0]["evidence"] if item.get("file")} <= set(map(str, paths))


def test_check_with_a_log_joins_it_with_the_machine(lab: Lab, crash: Path) -> None:
    ran = lab.check("rtx4090x2", "--log", str(crash))
    assert ran.code == 1
    assert ran.report["findings"][0]["cause"] == "driver_too_old"
    assert ran.report["host"]["gpu_count"] == 2
    assert ran.report["facts"]["log"]["tracebacks"]["value"] == 1


def test_explain_knows_the_rules_for_logs() -> None:
    ran = gpudoctor("explain", "driver-too-old-reported", "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["cause"] == "driver_too_old"
