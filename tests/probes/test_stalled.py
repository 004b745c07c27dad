"""From marks of calls that did not return to the calls that are left out."""

from __future__ import annotations

import pytest

from gpudoctor.probes._stalled import Stalled


@pytest.mark.parametrize(
    ("marks", "function", "target", "left_out"),
    [
        ([], "f", "0", False),
        (["f"], "f", "", True),
        (["f"], "f", "7", True),
        (["f"], "g", "", False),
        (["f@1"], "f", "1", True),
        (["f@1"], "f", "0", False),
        (["f@1"], "f", "11", False),
        (["f@1"], "g", "1", False),
        (["f@1", "f@2"], "f", "0", True),
        (["f@1", "g@1"], "h", "1", True),
        (["f@1", "g@1"], "h", "0-1", True),
        (["f@1", "f_v2@1"], "h", "1", False),
        (["f@1", "g@1"], "h", "0", False),
        (["f@0-1"], "f", "0-1", True),
        (["f@0-1"], "f", "1-0", False),
        (["f@0-1", "g@0-1"], "h", "0", False),
        (["f@0-1", "f@0-2"], "f", "1-2", True),
    ],
)
def test_what_is_left_out_follows_from_what_stalled(
    marks: list[str], function: str, target: str, left_out: bool
) -> None:
    assert Stalled(marks).covers(function, target) is left_out


def test_functions_are_listed_without_their_targets() -> None:
    assert Stalled(["f@0", "f@1", "g"]).functions == {"f", "g"}
