"""Formats are found by directory, and named as the directory names them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.render import formats, renderer


def test_every_format_of_the_contract_is_there_text_first() -> None:
    assert formats()[0] == "text"
    assert set(formats()) == {"text", "json", "markdown", "html", "junit", "sarif", "github", "prometheus"}


@pytest.mark.parametrize("name", formats())
def test_the_module_knows_its_own_name(name: str) -> None:
    assert name == renderer(name).NAME


def test_an_unknown_format_is_a_usage_error_that_lists_the_others() -> None:
    with pytest.raises(UsageError, match="yaml") as caught:
        renderer("yaml")
    assert "markdown" in caught.value.hint


def test_drawing_text_for_a_terminal_imports_neither_rich_nor_other_formats() -> None:
    program = (
        "import io, sys\n"
        "from gpudoctor.render import renderer, RenderOptions\n"
        "from tests.render.samples import SAMPLES\n"
        "renderer('text').render(SAMPLES['eight_gpus'](), io.StringIO(), RenderOptions(color=True))\n"
        "assert 'rich' not in sys.modules\n"
        "assert 'gpudoctor.render.formats.html' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
