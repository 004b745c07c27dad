"""Colour follows the option, then the environment, then the stream."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gpudoctor.render.color import ColorOption, color_wanted, unicode_wanted

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environ", "isatty", "option", "wanted"),
    [
        (XTERM, True, "auto", True),
        (XTERM, False, "auto", False),
        ({}, True, "auto", False),
        ({"TERM": "dumb"}, True, "auto", False),
        ({**XTERM, "NO_COLOR": "1"}, True, "auto", False),
        ({**XTERM, "NO_COLOR": ""}, True, "auto", True),
        ({"FORCE_COLOR": "1"}, False, "auto", True),
        ({"FORCE_COLOR": ""}, False, "auto", False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, "auto", True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, "auto", False),
        ({"NO_COLOR": "1"}, False, "always", True),
        ({**XTERM, "FORCE_COLOR": "1"}, True, "never", False),
    ],
)
def test_colour(environ: Mapping[str, str], isatty: bool, option: ColorOption, wanted: bool) -> None:
    assert color_wanted(environ, isatty, option) is wanted


@pytest.mark.parametrize(("encoding", "wanted"), [("utf-8", True), ("UTF8", True), ("ascii", False), (None, False)])
def test_streams_that_can_show_more_than_ascii(encoding: str | None, wanted: bool) -> None:
    assert unicode_wanted(encoding) is wanted
