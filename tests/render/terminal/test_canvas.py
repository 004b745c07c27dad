"""Wrapping, widths and colour codes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.render import RenderOptions
from gpudoctor.render.terminal.canvas import Canvas, prose
from gpudoctor.render.terminal.measure import columns, fit, head, pad


def canvas(width: int = 40, *, color: bool = False, unicode: bool = True) -> Canvas:
    return Canvas(RenderOptions(width=width, color=color, unicode=unicode))


def test_sentences_are_wrapped_between_words_with_a_hanging_indent() -> None:
    drawn = canvas()
    drawn.paragraph(("one two three four five six seven eight nine ten", "plain"), indent=2, hang=4)
    assert drawn.text() == "  one two three four five six seven eight\n    nine ten\n".replace(
        " eight\n   ", "\n    eight"
    )


def test_a_label_in_front_keeps_its_place() -> None:
    drawn = canvas()
    drawn.paragraph(("a " * 30, "plain"), indent=2, hang=10, lead=("label", "faint"))
    lines = drawn.text().splitlines()
    assert lines[0].startswith("  label   a a")
    assert all(line.startswith(" " * 10 + "a") for line in lines[1:])


def test_a_style_may_change_within_a_word() -> None:
    drawn = canvas()
    drawn.paragraph(*prose("run `this`, then (`that`)."))
    assert drawn.text() == "run `this`, then (`that`).\n"


def test_a_command_is_never_wrapped_indented_or_followed_by_anything() -> None:
    command = "vllm serve " + "--some-long-option value " * 20 + "end"
    drawn = canvas(color=True)
    drawn.command(command)
    assert drawn.text() == f"\x1b[36m{command}\x1b[0m\n"


def test_a_command_that_had_to_be_changed_says_so() -> None:
    drawn = canvas(60)
    drawn.command("echo \x1b[2Jx")
    assert drawn.text().splitlines() == ["echo x", "  (characters that a terminal would act on were left out)"]


def test_a_path_is_left_whole_and_other_long_words_are_broken() -> None:
    path = "/very/long/path" * 5
    drawn = canvas()
    drawn.paragraph((f"see {path} or {'x' * 90}", "plain"))
    lines = drawn.text().splitlines()
    assert lines[:2] == ["see", path]
    assert all(len(line) <= 40 for line in lines[2:])


def test_blank_lines_never_pile_up() -> None:
    drawn = canvas()
    drawn.blank()
    drawn.line(("a", "plain"))
    drawn.blank()
    drawn.blank()
    drawn.line(("b", "plain"))
    assert drawn.text() == "a\n\nb\n"


def test_an_ascii_stream_gets_ascii_rules_and_marks() -> None:
    drawn = canvas(unicode=False)
    drawn.rule("ERROR", "error", heavy=True)
    drawn.line(("ü · " + "x" * 60, "plain"))
    assert drawn.text().splitlines()[0] == "== ERROR " + "=" * 31
    assert drawn.text().isascii()
    assert all(len(line) == 40 for line in drawn.text().splitlines())


def test_extreme_widths_are_brought_into_reason() -> None:
    assert canvas(5).width == 40
    assert canvas(1000).width == 120


@pytest.mark.parametrize(("text", "wide"), [("abc", 3), ("模型", 4), ("🚀", 2), ("━─·…", 4), ("é", 1)])
def test_columns(text: str, wide: int) -> None:
    assert columns(text) == wide
    assert columns(pad(text, 10)) == columns(pad(text, 10, right=True)) == 10


def test_cutting_counts_columns_not_characters() -> None:
    assert head("模型模型", 5) == "模型"
    assert fit("模型模型", 5) == "模型…"
    assert fit("abc", 3) == "abc"


@settings(deadline=None)
@given(st.text(), st.integers(40, 120), st.integers(0, 10))
def test_no_line_is_wider_than_the_canvas(text: str, width: int, indent: int) -> None:
    drawn = canvas(width)
    drawn.paragraph((text.replace("/", ""), "plain"), indent=indent)
    drawn.line((text, "plain"), indent=indent)
    assert all(columns(line) <= width for line in drawn.text().splitlines())


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126)), st.booleans())
def test_colour_changes_no_character(text: str, color: bool) -> None:
    plain, coloured = canvas(), canvas(color=True)
    for drawn in (plain, coloured):
        drawn.paragraph((text, "strong"), (text, "faint"), indent=2)
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured.text()) == plain.text()
