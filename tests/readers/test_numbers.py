"""Numbers of /sys and /proc, and what is refused as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.numbers import integer, number_list


def test_numbers_of_64_bits_are_read_in_any_base() -> None:
    assert integer(" -1\n") == -1
    assert integer("0x10de", 16) == 0x10DE
    assert integer("9223372036854771712") == 9223372036854771712


@pytest.mark.parametrize("text", ["", "max", "9" * 19, "9" * 5000, "1.5"])
def test_what_does_not_fit_or_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        integer(text)


def test_lists_of_ranges() -> None:
    assert number_list("0-3,8,10-11\n") == (0, 1, 2, 3, 8, 10, 11)
    assert number_list("") == ()


@pytest.mark.parametrize("text", ["0-99999999", "3-1", "-5", "a-b", "1,,x"])
def test_lists_that_are_garbled_or_absurd_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        number_list(text)


@given(st.text(max_size=60))
def test_no_text_crashes_the_list_reader(text: str) -> None:
    try:
        numbers = number_list(text)
    except ValueError:
        return
    assert all(number >= 0 for number in numbers)
