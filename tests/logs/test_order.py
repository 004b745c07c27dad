"""Hits in one order: by the times that lines tell, and where one tells none, with its neighbours."""

from __future__ import annotations

from gpudoctor.logs.kept import Kept, RawHit
from gpudoctor.logs.order import sighted
from gpudoctor.logs.scan import Scanned


def order(**files: list[tuple[str, float | None]]) -> list[str]:
    """Names of signatures in the order of their places; each stands on a line of its own."""
    scanned = []
    for name, lines in files.items():
        hits: dict[str, Kept] = {}
        for number, (key, seconds) in enumerate(lines, 1):
            hits.setdefault(key, Kept()).add(RawHit(name, number, key, -1, "", "", seconds, {}))
        scanned.append(Scanned(name, hits, []))
    seen = sighted(scanned, {key: "root" for lines in files.values() for key, _ in lines})
    places = sorted((hit.ordinal, key) for key, sighting in seen.items() for hit in sighting.hits)
    assert [place for place, _ in places] == list(range(len(places)))
    return [key for _, key in places]


def test_times_decide_between_files() -> None:
    assert order(a=[("late", 20.0)], b=[("early", 10.0)]) == ["early", "late"]


def test_a_line_without_a_time_was_said_with_the_one_before_it() -> None:
    lines: list[tuple[str, float | None]] = [("start", 10.0), ("warning", None), ("progress", 12.0)]
    assert order(a=lines) == ["start", "warning", "progress"]
    assert order(a=lines, b=[("elsewhere", 11.0)]) == ["start", "warning", "elsewhere", "progress"]


def test_lines_before_the_first_time_were_said_with_it() -> None:
    assert order(a=[("head", None), ("next", None), ("start", 10.0)], b=[("before", 9.0), ("after", 11.0)]) == [
        "before",
        "head",
        "next",
        "start",
        "after",
    ]


def test_a_file_without_any_time_comes_after_those_that_tell_theirs() -> None:
    assert order(a=[("one", None), ("two", None)], b=[("timed", 10.0)]) == ["timed", "one", "two"]


def test_lines_out_of_time_order_are_put_in_it_and_take_theirs_along() -> None:
    lines: list[tuple[str, float | None]] = [("second", 20.0), ("its", None), ("first", 10.0), ("own", None)]
    assert order(a=lines) == ["first", "own", "second", "its"]
