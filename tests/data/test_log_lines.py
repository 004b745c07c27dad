"""The tables of lines: a pattern that the scanner cannot use would be silent for ever."""

from __future__ import annotations

import pytest

from gpudoctor.data.harmless_lines import harmless_lines
from gpudoctor.data.log_lines import log_lines
from gpudoctor.logs.pattern import check_pattern

LINES = {
    **{line.name: (line.pattern, line.unless) for line in log_lines()},
    **{line.name: (line.pattern, line.unless) for line in harmless_lines()},
}


@pytest.mark.parametrize("name", LINES)
def test_the_scanner_can_look_for_every_line(name: str) -> None:
    pattern, unless = LINES[name]
    check_pattern(pattern)
    if unless:
        check_pattern(unless, literal=False)


def test_each_has_a_name_of_its_own() -> None:
    assert len(LINES) == len(log_lines()) + len(harmless_lines())
