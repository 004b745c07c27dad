"""/proc/meminfo."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.meminfo import meminfo_bytes


def test_rows_in_kb_become_bytes_and_others_are_left_out() -> None:
    text = (
        "MemTotal:       65536000 kB\nHugePages_Total:       0\nSwapFree: lots kB\nMemFree: 99999999999999999999 kB\n"
    )

    assert meminfo_bytes(text) == {"MemTotal": 65536000 * 1024}


@given(st.text(max_size=300))
def test_no_text_crashes_it(text: str) -> None:
    assert all(0 <= value < 1 << 63 for value in meminfo_bytes(text).values())
