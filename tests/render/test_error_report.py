"""A report for every exit path."""

from __future__ import annotations

import re

import msgspec

from gpudoctor.model.report import Report, ReportError, Tool
from gpudoctor.render.error_report import error_report
from tests.render.drawing import draw
from tests.render.samples import SAMPLES


def test_an_error_report_says_what_and_when_and_holds_no_findings() -> None:
    made = error_report("no such file", hint="check the path", kind="usage", exit_code=2, tool=Tool("gpudoctor", "1"))
    assert made.status == "unknown"
    assert made.error == ReportError("no such file", "check the path", "usage", 2)
    assert made.findings == ()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made.created_at)


def test_every_sample_can_be_read_back() -> None:
    for name, sample in SAMPLES.items():
        if name != "hostile":
            assert msgspec.json.decode(draw(sample(), "json"), type=Report).summary == sample().summary
