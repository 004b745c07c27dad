"""When a run hangs, by a clock that the test moves."""

from __future__ import annotations

import pytest

from gpudoctor.cli.run import hang_watch
from gpudoctor.cli.run.hang_watch import HangWatch
from gpudoctor.host.process_tree import Process


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the processes have moved so far; the test changes it."""
    total = [0]
    monkeypatch.setattr(hang_watch, "descendants", lambda pid: (Process(pid, "python", "S", total[0], 0),))
    return total


def noticed(watch: HangWatch, until: int, last_output: float = 0.0, start: int = 0) -> list[int]:
    return [now for now in range(start, until, 10) if watch.hangs(1, last_output, float(now))]


def test_silence_is_noticed_once(moved: list[int]) -> None:
    watch = HangWatch(100.0)
    assert noticed(watch, 400) == [100]


def test_new_output_begins_a_new_silence_and_reports_are_few(moved: list[int]) -> None:
    watch = HangWatch(100.0)
    found = [noticed(watch, start + 300, float(start), start) for start in range(0, 3000, 300)]
    assert [len(times) for times in found] == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_who_reads_is_alive(moved: list[int]) -> None:
    watch = HangWatch(100.0)
    for now in range(0, 500, 10):
        moved[0] += 5 << 20
        assert not watch.hangs(1, 0.0, float(now))
    assert noticed(watch, 900, start=500)


def test_zero_switches_it_off(moved: list[int]) -> None:
    assert noticed(HangWatch(0.0), 10_000) == []
