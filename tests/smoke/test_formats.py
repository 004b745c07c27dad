"""What was tested, and what was not, is said in every format."""

from __future__ import annotations

import json
import subprocess

import jsonschema
import pytest

from gpudoctor.paths import data_file
from gpudoctor.render import formats
from tests.smoke.runs import command, environment, needs_torch, python_with_torch, run

pytestmark = needs_torch


@pytest.mark.parametrize("name", sorted(formats()))
def test_a_run_without_gpus_says_so(name: str) -> None:
    argv = [name if word == "json" else word for word in command("--python", python_with_torch() or "")]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "the launch path, not the GPUs" in " ".join(done.stdout.split())


@pytest.mark.parametrize("python", ["", "/nonexistent/python"])
def test_the_report_fits_the_schema(python: str) -> None:
    done = run("--python", python or python_with_torch() or "")
    jsonschema.Draft202012Validator(json.loads(data_file("report.schema.json").read_text())).validate(done.report)
