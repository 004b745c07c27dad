"""Few files, few processes, too much in a snapshot: said in a sentence, with a code of the contract."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import GPUDOCTOR, Lab, gpudoctor


@pytest.mark.parametrize("files", [6, 8, 10, 12, 16, 20])
def test_few_files_cost_facts_at_most(lab: Lab, files: int) -> None:
    script = f"ulimit -n {files}; exec {GPUDOCTOR} check --quick --format json"
    done = subprocess.run(
        ["bash", "-c", script], env=lab.env("rtx4090x2"), capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode in ((0, 3) if files < 20 else (0,))
    assert "internal error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["schema"] == "gpudoctor.report/1"


@pytest.mark.parametrize(
    ("section", "field", "count"), [("nvml", "devices", 65), ("nvml", "pairs", 5000), ("cuda", "devices", 100_000)]
)
def test_a_snapshot_with_more_than_any_machine_has_is_refused(
    lab: Lab, tmp_path: Path, section: str, field: str, count: int
) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor("snapshot", "--quick", "-o", str(file), env=lab.env("rtx4090x2"))
    content: dict[str, Any] = json.loads(file.read_text())
    entry = content["facts"][section][field]["value"][0]
    content["facts"][section][field]["value"] = [copy.copy(entry) for _ in range(count)]
    file.write_text(json.dumps(content))
    ran = gpudoctor("check", "--snapshot", str(file))
    assert ran.code == 2
    assert f"{section}.{field}" in ran.err
