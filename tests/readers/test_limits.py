"""/proc/PID/limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.limits import UNLIMITED, soft_limits

TEXT = """Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
Max address space         unlimited            unlimited            bytes
Max nice priority         0                    0
Max nonsense              many                 many                 bytes
"""


def test_soft_limits_are_read_and_what_is_garbled_is_left_out() -> None:
    assert soft_limits(TEXT) == {
        "Max core file size": 0,
        "Max open files": 1024,
        "Max locked memory": 8388608,
        "Max address space": UNLIMITED,
        "Max nice priority": 0,
    }


@given(st.text(max_size=400))
def test_no_text_crashes_it(text: str) -> None:
    assert all(isinstance(value, int) for value in soft_limits(text).values())
