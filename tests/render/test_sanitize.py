"""Foreign text becomes harmless and stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.render.sanitize import altered, clean, clean_lines, clean_prose, escape_html, to_ascii


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31;1mError\x1b[0m: x", "Error: x"),
        ("\x9b31mError", "Error"),
        ("\x1b]0;window title\x07rest", "rest"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0;2;0\x1b\\after", "after"),
        ("\x1b(0box\x1b(B", "box"),
        ("a\tb\r\nc", "a b  c"),
        ("nul\x00bell\x07del\x7f", "nulbelldel"),
        ("abc\u202egpj.exe\u202c", "abcgpj.exe"),
        ("\u2066iso\u2069\u200bzero\ufeff", "isozero"),
        ("line\u2028sep\u2029par\x85nel", "line sep par nel"),
        ("half \ud800 surrogate", "half  surrogate"),
        ("größe 模型 🚀 процесс", "größe 模型 🚀 процесс"),
        ("no-break\u00a0space", "no-break space"),
        ("unfinished \x1b[31", "unfinished 31"),
        ("\x1b", ""),
    ],
)
def test_what_a_terminal_acts_on_is_removed(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 50, 10) == "x" * 9 + "…"
    assert clean("x" * 10, 10) == "x" * 10


def test_prose_folds_spaces_and_lines_of_code_keep_them() -> None:
    assert clean_prose("  a   b\n c ") == "a b c"
    assert clean_lines("\na   b\r\n  c\n") == ["a   b", "  c"]


def test_a_command_that_lost_characters_is_noticed() -> None:
    assert not altered("cat <<'E'\n\ttext\nE")
    assert altered("echo \x1b[2J")
    assert altered("echo \u202e")
    assert altered("x" * 5000)


def test_ascii_streams_get_our_punctuation_spelled_out_and_the_rest_escaped() -> None:
    assert to_ascii("a … b → c · 模") == "a ... b -> c | \\u6a21"


def test_html_special_characters_are_escaped_for_text_and_attributes() -> None:
    assert escape_html("<a href='x' title=\"y\">&") == "&lt;a href=&#x27;x&#x27; title=&quot;y&quot;&gt;&amp;"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_any_text_becomes_one_printable_line_of_bounded_length(raw: str, limit: int) -> None:
    shown = clean(raw, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


@given(st.text())
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    assert clean(clean(raw)) == clean(raw)
