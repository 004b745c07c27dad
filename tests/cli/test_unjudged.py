"""What is said of a run and cannot be used is an error or a note, never silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Lab, gpudoctor


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--quant", "awg", "unknown quantisation 'awg'"),
        ("--dtype", "fp23", "--dtype 'fp23' is not known"),
        ("--model", "a\udcffb", "--model 'a\\udcffb' is no text"),
        ("--quant", "\udcff", "--quantization '\\udcff' is no text"),
    ],
)
def test_a_misspelt_name_is_2(option: str, value: str, says: str) -> None:
    ran = gpudoctor("check", "--quick", "--model", "Qwen/Qwen3-8B", option, value)
    assert ran.code == 2
    assert says in ran.err


@pytest.mark.parametrize("value", ["awq", "fp8", "none", "auto", "compressed-tensors", "gguf"])
def test_a_name_that_is_known_is_taken(lab: Lab, value: str) -> None:
    ran = lab.check("rtx4090x2", "--model", "Qwen/Qwen3-8B", "--quant", value)
    assert ran.report["workload"]["quantization"] == value


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "typo/nope"], "Nothing is known of the model typo/nope"),
        (["--model", "./no-such-folder"], "Nothing is known of the model ./no-such-folder"),
        (["--", "vllm", "serve", "typo/nope", "-tp", "2"], "Nothing is known of the model typo/nope"),
        (["--", "docker", "compose", "up"], "No launch command of a known framework"),
        (["--", "vllm", "serve", "some/thing-7B-GGUF"], "thing-7B-GGUF"),
    ],
)
def test_what_was_not_judged_is_said(lab: Lab, arguments: list[str], says: str) -> None:
    notes = lab.check("rtx4090x2", *arguments).report["notes"]
    assert [note for note in notes if says in note], notes


@pytest.mark.parametrize("arguments", [[], ["--tp", "2"], ["--", "vllm", "serve", "Qwen/Qwen3-8B"]])
def test_what_was_judged_needs_no_word(lab: Lab, arguments: list[str]) -> None:
    assert lab.check("rtx4090x2", *arguments).report["notes"] == []


def test_a_failure_replaces_the_report_of_the_last_time(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text('{"status": "ok"}')
    ran = gpudoctor("check", "--tp", "0", "--format", "json", "-o", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert json.loads(file.read_text())["error"]["kind"] == "usage"


def test_a_failure_goes_to_stdout_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    ran = gpudoctor("check", "--tp", "0", "--format", "json", "-o", str(tmp_path / "no" / "report.json"))
    assert ran.code == 2
    assert ran.report["error"]["kind"] == "usage"


@pytest.mark.parametrize("verb", [["fit"], ["diagnose"], ["check", "--rules"], ["rules", "lint", "--rules"]])
def test_a_name_that_is_too_long_for_a_file_is_2(verb: list[str]) -> None:
    ran = gpudoctor(*verb, "x" * 5000)
    assert ran.code == 2
    assert "Traceback" not in ran.err
