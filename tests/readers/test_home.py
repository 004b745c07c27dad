"""Paths below the home folder."""

from __future__ import annotations

import doctest
import os

import pytest

from gpudoctor.readers import home
from gpudoctor.readers.home import shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ann", "~"),
        ("/home/ann/x", "~/x"),
        ("/home/ann/a:/home/ann/b", "~/a:~/b"),
        ("/home/anna/x", "/home/anna/x"),
        ("/mnt/home/ann/x", "/mnt/home/ann/x"),
        ("ImportError: '/home/ann/lib.so': undefined", "ImportError: '~/lib.so': undefined"),
        ("--path=/home/ann/x,/home/ann", "--path=~/x,~"),
        ("a.c /home/ann.bak", "a.c /home/ann.bak"),
    ],
)
def test_only_whole_paths_below_home_are_shortened(text: str, expected: str) -> None:
    assert shown(text, "/home/ann") == expected
    assert shown(text, "/home/ann/") == expected


@pytest.mark.parametrize("folder", ["", "/", "relative"])
def test_a_home_that_is_none_changes_nothing(folder: str) -> None:
    assert shown("/usr/lib", folder) == "/usr/lib"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert shown(os.fsdecode(b"/x/\xff"), "") == "/x/?"


def test_a_home_with_characters_of_patterns_is_taken_literally() -> None:
    assert shown("/h(o)me/a+b/x", "/h(o)me/a+b") == "~/x"


def test_the_documented_example_holds() -> None:
    assert doctest.testmod(home).failed == 0
