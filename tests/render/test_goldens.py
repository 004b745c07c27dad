"""Every format of every sample, compared with fixtures/golden.

After a wanted change: GPUDOCTOR_UPDATE_GOLDEN=1 pytest tests/render, then read the diff.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import jsonschema
import pytest

from gpudoctor.render import RenderOptions, formats
from gpudoctor.render.schema import schema_text
from tests.render.drawing import draw
from tests.render.samples import SAMPLES
from tests.render.shipped import SCHEMA_FILE

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "fixtures" / "golden"
ENDINGS = {
    "text": "txt",
    "markdown": "md",
    "junit": "xml",
    "sarif": "sarif",
    "prometheus": "prom",
    "github": "github.txt",
}
VARIANTS = {
    "tp_error.narrow.txt": ("tp_error", RenderOptions(width=60)),
    "eight_gpus.wide.txt": ("eight_gpus", RenderOptions(width=200)),
    "eight_gpus.verbose.txt": ("eight_gpus", RenderOptions(verbose=True)),
    "eight_gpus.ascii.txt": ("eight_gpus", RenderOptions(unicode=False)),
    "tp_error.color.txt": ("tp_error", RenderOptions(color=True)),
}
updating = bool(os.environ.get("GPUDOCTOR_UPDATE_GOLDEN"))


def compare(path: Path, text: str) -> None:
    if updating:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("format_name", formats())
@pytest.mark.parametrize("sample", SAMPLES)
def test_output_is_the_golden_file(sample: str, format_name: str) -> None:
    ending = ENDINGS.get(format_name, format_name)
    compare(GOLDEN / f"{sample}.{ending}", draw(SAMPLES[sample](), format_name))


@pytest.mark.parametrize("name", VARIANTS)
def test_text_for_other_terminals_is_the_golden_file(name: str) -> None:
    sample, options = VARIANTS[name]
    compare(GOLDEN / name, draw(SAMPLES[sample](), "text", options))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="msgspec loses generic types when it makes a schema there")
def test_the_schema_in_the_package_is_the_one_of_the_structs() -> None:
    compare(SCHEMA_FILE, schema_text())


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_golden_report_is_valid_by_the_schema(sample: str) -> None:
    schema = json.loads(SCHEMA_FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    report = json.loads((GOLDEN / f"{sample}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)


def test_no_golden_file_is_left_over() -> None:
    expected = {f"{sample}.{ENDINGS.get(name, name)}" for sample in SAMPLES for name in formats()} | set(VARIANTS)
    assert {path.name for path in GOLDEN.iterdir()} == expected
