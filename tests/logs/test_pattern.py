"""What a signature's pattern may be, which literals it gives, and that it matches what `re` matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.logs.pattern import Matcher, check_pattern
from gpudoctor.logs.pattern_parser import PatternError, parse_pattern


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"too old \(found version (?P<found>\d+)\)", ("too old (found version ",)),
        (r"(?:foo bar|baz quux) x", ("foo bar x", "baz quux x")),
        (r"first thing|second thing", ("first thing", "second thing")),
        (r"a short one.*the longer literal", ("the longer literal",)),
        (r"undefined symbol: nccl\w+", ("undefined symbol: nccl",)),
        (r"[Cc]annot find libcuda", ("annot find libcuda",)),
        (r"(?:torch\.)?cuda\.OutOfMemoryError", ("cuda.OutOfMemoryError",)),
        (r"\bhang here\b", ("hang here",)),
        (r"x{3}yyyyy", ("yyyyy",)),
        (r"(?P<a>plain text)!", ("plain text!",)),
    ],
)
def test_literals(pattern: str, literals: tuple[str, ...]) -> None:
    assert parse_pattern(pattern).literals == literals


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "an empty pattern"),
        ("x" * 601, "longer than"),
        (r"long enough (?=x)", "not allowed"),
        (r"long enough (?!x)", "not allowed"),
        (r"(?i)long enough", "not allowed"),
        (r"(long enough)\1", "not allowed"),
        (r"(long)+ enough", "a repeated group"),
        (r"(long){2} enough", "a repeated group"),
        (r"*long enough", "a repeat of nothing"),
        (r"long enough (", "without its )"),
        (r"long enough )", "without its ("),
        (r"long [enough", "not allowed"),
        (r"\d+", "no literal"),
        (r"abcd", "no literal"),
        (r"long enough|abc", "no literal"),
        (r"literal(?: \S+ \S+ \S+ \S+ \S+ \S+ \S+)", "more than 6"),
        (r"^+long enough", "a repeated anchor"),
        (r"long enough(?P<a>x)(?P<a>y)", "not a pattern"),
    ],
)
def test_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternError, match=re.escape(message)):
        check_pattern(pattern)


def test_captures_of_all_parts() -> None:
    matcher = Matcher(r"World size \((?P<asked>\d+)\) is .* GPUs \((?P<has>\d+)\)|asked (?P<asked>\d+) of us")
    assert matcher.match("x World size (8) is larger than the number of available GPUs (4) y") == {
        "asked": "8",
        "has": "4",
    }
    assert matcher.match("asked 3 of us") == {"asked": "3"}
    assert matcher.match("World size (8) is fine") is None


def test_a_gap_needs_its_parts_in_order() -> None:
    matcher = Matcher("first part.*second part")
    assert matcher.match("second part, first part") is None
    assert matcher.match("first part second part") == {}
    assert Matcher("first part.+second part").match("first partsecond part") is None


_PIECES = st.sampled_from(
    ["alpha", "beta", r"\d+", r"\s*", "[a-c]{1,3}", "(?:one|two)", "(?:x)?", ".*", r"\.", "gamma delta", r"\w+"]
)
_TEXTS = st.lists(
    st.sampled_from(["alpha", "beta", "12", " ", "abc", "one", "two", "x", ".", "gamma delta"]), max_size=12
)


@given(st.lists(_PIECES, min_size=1, max_size=6), _TEXTS)
def test_it_matches_what_re_matches_and_every_match_holds_a_literal(pieces: list[str], texts: list[str]) -> None:
    pattern, text = "".join(pieces), "".join(texts)
    try:
        matcher = Matcher(pattern)
    except PatternError:
        return
    expected = re.search(pattern, text) is not None
    assert (matcher.match(text) is not None) == expected
    literals = parse_pattern(pattern).literals
    if expected and literals:
        assert any(literal in text for literal in literals)


@pytest.mark.parametrize(
    ("pattern", "text", "captures"),
    [
        (r"\w+.*alpha", "alphaalpha", {}),
        (r"size=(?P<size>\w+).*alpha", "size=80alpha", {"size": "80"}),
        (r"size=(?P<size>\d+).*alpha", "size=800 alpha", {"size": "800"}),
        (r"(?P<word>[a-z]+).*beta.*gamma", "betabetagamma", {"word": "beta"}),
        (r"\w+.*alpha|other words", "other words", {}),
    ],
)
def test_a_part_leaves_the_next_what_it_needs(pattern: str, text: str, captures: dict[str, str]) -> None:
    assert Matcher(pattern).match(text) == captures
    assert re.search(pattern, text) is not None
