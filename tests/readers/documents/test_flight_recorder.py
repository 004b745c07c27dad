"""Dumps of the flight recorder."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from gpudoctor.model.facts import Facts
from gpudoctor.model.facts.collective import RankProgress
from gpudoctor.readers.documents.flight_recorder import DOCUMENT
from tests.readers.documents.reading import read, sample


def progress(facts: Facts) -> RankProgress:
    (one,) = facts.collective.progress.or_none() or ()
    return one


def test_what_a_rank_waits_for() -> None:
    facts = read(sample("flight_recorder"), DOCUMENT)
    one = progress(facts)
    assert facts.collective.ranks_expected.value == 2
    assert (one.last_enqueued.value, one.last_completed.value) == (3, 2)
    assert (one.pending.value, one.pending_sizes.value, one.pending_state.value) == ("all_gather", "4096", "scheduled")


def test_an_indented_dump() -> None:
    (line,) = sample("flight_recorder")
    one = progress(read(json.dumps(json.loads(line), indent=2), DOCUMENT))
    assert (one.last_enqueued.value, one.pending.value) == (3, "all_gather")


def test_a_rank_that_has_done_everything() -> None:
    (line,) = sample("flight_recorder")
    one = progress(read(line.replace('"scheduled"', '"completed"'), DOCUMENT))
    assert one.pending.absent == "not_applicable"


def test_the_rank_where_the_dump_tells_it() -> None:
    (line,) = sample("flight_recorder")
    line = line.replace('"entries"', '"nccl_comm_state": {"0x1": {"rank": "5", "n_ranks": "8"}}, "entries"')
    assert progress(read(line, DOCUMENT)).rank == 5


def test_a_cut_dump_still_has_its_counters() -> None:
    (line,) = sample("flight_recorder")
    one = progress(read(line[: line.index('"entries"') + 60], DOCUMENT))
    assert (one.last_enqueued.value, one.last_completed.value) == (3, 2)
    assert not one.pending.known


class Mark:
    """Whoever loads a pickle of it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_is_recognised_and_never_loaded(protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "loaded"
    dump = {"version": "2.5", "pg_config": {}, "entries": [{"profiling_name": "nccl:x"}], "more": Mark(mark)}
    facts = read(pickle.dumps(dump, protocol).decode("utf-8", "replace"), DOCUMENT)
    assert facts.collective.pickled_dump.value is True
    assert not mark.exists()


def test_words_of_it_in_a_log_are_no_dump() -> None:
    assert read("dumping pg_status and profiling_name to /tmp/nccl_trace_rank_0", DOCUMENT) == Facts()
