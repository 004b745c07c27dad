"""Versions as the field writes them."""

from __future__ import annotations

import pytest

from gpudoctor.engine.version import parse_version


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2.18.3", "2.18.10"),
        ("2.9.0", "2.10"),
        ("550.54.14", "550.54.15"),
        ("535.183.01", "550.54.15"),
        ("0.11.0rc2", "0.11.0"),
        ("0.11.0.dev20260101", "0.11.0rc1"),
        ("0.6.3", "0.6.3.post1"),
        ("2.9.0a1", "2.9.0b1"),
        ("12", "12.1"),
    ],
)
def test_versions_are_ordered(older: str, newer: str) -> None:
    first, second = parse_version(older), parse_version(newer)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2.18", "2.18.0"),
        ("v0.6.3", "0.6.3"),
        ("2.9.1+cu128", "2.9.1"),
        ("2.27.5-1", "2.27.5"),
        ("535.183.01-0ubuntu1", "535.183.1"),
        (" 12.8\n", "12.8"),
    ],
)
def test_what_does_not_matter_does_not_count(one: str, other: str) -> None:
    assert parse_version(one) == parse_version(other) != None  # noqa: E711


@pytest.mark.parametrize("text", ["", "latest", "N/A", "1..2", "2.18.3; rm -rf /", "1." * 60, "9" * 100, "²"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) is None
