"""No secret of a launch command is repeated: in no format, no fix, no snapshot; and the findings stay the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Lab, gpudoctor

SECRET = "Zq9-hunter2-XyZ"  # noqa: S105
LAUNCH = (
    "--", "docker", "run", "--gpus", "all", "-e", f"HF_TOKEN={SECRET}", "vllm/vllm-openai:latest",
    "--model", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size", "4", "--api-key", SECRET,
    "--max-num-batched-tokens", "8192", "--tokenizer", "t",
)  # fmt: skip


@pytest.mark.parametrize("format_name", ["text", "json", "markdown", "html", "junit", "sarif", "github", "prometheus"])
def test_no_format_repeats_a_secret(lab: Lab, format_name: str) -> None:
    ran = lab.check("rtx4090x2", "--verbose", "--format", format_name, *LAUNCH)
    assert ran.code == 1
    assert SECRET not in ran.out + ran.err


def test_the_user_is_told_and_the_rest_of_the_command_is_kept(lab: Lab) -> None:
    report = lab.check("rtx4090x2", *LAUNCH).report
    assert report["notes"] == [
        "The launch command holds 2 secrets; every command shown here has <secret> in its place."
    ]
    command = report["findings"][0]["fixes"][0]["command"]
    assert "HF_TOKEN=<secret>" in command
    assert "--api-key '<secret>'" in command
    assert "--max-num-batched-tokens 8192 --tokenizer t" in command


def test_a_message_about_a_bad_command_does_not_repeat_it(lab: Lab) -> None:
    ran = lab.check("rtx4090x2", "--", "vllm", "serve", "--api-key", SECRET, "--tensor-parallel-size", "four")
    assert ran.code == 2
    assert SECRET not in ran.out + ran.err


def test_credentials_in_a_model_url_are_not_repeated(lab: Lab) -> None:
    ran = lab.check("rtx4090x2", "--tp", "4", "--model", f"https://bob:{SECRET}@models.example/m")
    assert SECRET not in ran.out
    assert "<secret>@models.example/m" in ran.out


def test_a_snapshot_has_no_secret_and_gives_the_findings_of_the_live_machine(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    written = gpudoctor("snapshot", "--quick", "--no-redact", "-o", str(file), *LAUNCH, env=lab.env("rtx4090x2"))
    assert "2 secrets" in written.err
    assert SECRET not in file.read_text()
    gpudoctor("snapshot", "--quick", "-o", str(file), *LAUNCH, env=lab.env("rtx4090x2"))
    live = lab.check("rtx4090x2", *LAUNCH).report
    offline = gpudoctor("check", "--snapshot", str(file), "--format", "json").report
    for key in ("findings", "not_evaluated", "workload"):
        assert json.dumps(offline[key]) == json.dumps(live[key]), key
