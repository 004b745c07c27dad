"""PCI addresses in the forms that the field writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.bus_id import bus_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PCI:0000:9b:00", "0000:9b:00.0"),
        ("0000:9B:00.1", "0000:9b:00.1"),
        ("00000000:01:00.0", "0000:01:00.0"),
        ("00010000:01:00.0", "10000:01:00.0"),
        ("05:00.0", "0000:05:00.0"),
        ("0x00:0x02.0", "0000:00:02.0"),
        ("0019:01:00", "0019:01:00.0"),
        ("PCI:...", ""),
        ("", ""),
        ("0000:9b:00.9", ""),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert bus_id(text) == expected


@given(st.text(alphabet="0123456789abcdefPCIx:. ", max_size=24))
def test_the_answer_is_an_address_or_nothing_and_stays_itself(text: str) -> None:
    found = bus_id(text)

    assert found == "" or bus_id(found) == found
