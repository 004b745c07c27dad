"""Strict YAML: plain data, hostile input refused with file and line, places of values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.engine.problem import RuleFileError
from gpudoctor.engine.yaml_strict import MAX_BYTES, parse


def data(text: str) -> object:
    return parse(text.encode(), "r.yaml").data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0000:17:00.0", "0000:17:00.0"),
        ("1:20", "1:20"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("2026-11-01", "2026-11-01"),
        ("12.10", 12.1),
        ("'12.10'", "12.10"),
        ("-3", -3),
        ("1e3", 1000.0),
        ("true", True),
        ("True", "True"),
        ("null", None),
        ('"true"', "true"),
        ("<<", "<<"),
    ],
)
def test_a_scalar_is_what_json_would_make_of_it_or_text(text: str, value: object) -> None:
    assert data(f"key: {text}") == {"key": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "r.yaml:3:1: the key 'a' is there twice"),
        ("a: {b: 1, b: 2}", "r.yaml:1:11: the key 'b' is there twice"),
        ("a: &x 1\n", "r.yaml:1:4: anchors"),
        ("a: 1\nb: *a\n", "r.yaml:2:4: anchors"),
        ("&k a: 1\n", "r.yaml:1:1: "),
        ("a: !!python/object/apply:os.system [ls]", "r.yaml:1:4: the tag"),
        ("a: !!binary aGk=", "r.yaml:1:4: the tag"),
        ("a: !!int '0x10'", "r.yaml:1:4: the tag"),
        ("? [a, b]\n: c\n", "r.yaml:1:3: a mapping key must be plain text"),
        ("a: 1\n---\nb: 2\n", "r.yaml:2:1: a second document"),
        ("a: [1,\n", "not YAML"),
        ("a: b: c\n", "r.yaml:1"),
        ("a: ~\n", "r.yaml:1:4: ~ is not allowed"),
        ("a: x\nb: \x07\n", "r.yaml:2: a control character"),
        ("", "r.yaml:1: is empty"),
        ("# only a comment\n", "is empty"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        data(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_an_error_and_not_a_crash(opening: str) -> None:
    text = opening * (MAX_BYTES // len(opening))
    with pytest.raises(RuleFileError, match=r"nested more than 32 deep|a mapping key"):
        data(text)


def test_a_billion_laughs_are_refused_at_the_first() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]" for i in range(8)]
    with pytest.raises(RuleFileError, match=r"r.yaml:1:4: anchors"):
        data("\n".join(lines))


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(RuleFileError, match="bytes long"):
        parse(b"a: " + b"x" * MAX_BYTES, "r.yaml")


def test_bytes_that_are_not_utf8_name_their_line() -> None:
    with pytest.raises(RuleFileError, match=r"r.yaml:2: is not UTF-8"):
        parse(b"a: 1\nb: \xff\n", "r.yaml")


@pytest.mark.parametrize(
    ("text", "path", "column", "place"),
    [
        ("a: hello\n", ("a",), 2, (1, 6)),
        ("a: 'hello'\n", ("a",), 2, (1, 7)),
        ('a:\n  b: "hello"\n', ("a", "b"), 0, (2, 7)),
        ('a: "he\\tllo"\n', ("a",), 2, (1, 0)),
        ("a: >-\n  one\n  two\n", ("a",), 5, (1, 0)),
        ("a:\n  - x\n  - y\n", ("a", 1), 0, (3, 5)),
        ("a:\n  b: 1\n", ("a", "nothing"), 3, (1, 0)),
        ("a: {b: 1}\n", ("z",), 0, (1, 0)),
    ],
)
def test_a_column_inside_a_value_maps_to_the_file_where_it_can(
    text: str, path: tuple[str | int, ...], column: int, place: tuple[int, int]
) -> None:
    position = parse(text.encode(), "r.yaml").position(path, column)
    assert (position.line, position.column) == place


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode(errors="replace"))))
def test_any_bytes_give_data_or_a_rule_file_error(raw: bytes) -> None:
    try:
        found = str(parse(raw, "r.yaml").file)
    except RuleFileError as error:
        found = str(error)
    assert found.startswith("r.yaml")
