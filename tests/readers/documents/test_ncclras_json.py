"""RAS in JSON."""

from __future__ import annotations

from gpudoctor.readers.documents.ncclras_json import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_missing_ranks() -> None:
    collective = read(sample("ncclras_json"), DOCUMENT).collective
    assert (collective.ranks_expected.value, collective.ranks_missing.value) == (2, (1,))
    assert (collective.dead_processes.value, collective.ranks_behind_count.value) == (0, 0)


def test_ranks_that_launched_less() -> None:
    text = (
        '{"nccl_version": "2.29.1", "communicators_count": 1, "communicators": [{"size": 3, "ranks": ['
        '{"rank": 0, "collective_counts": {"AllReduce": 7}}, {"rank": 1, "collective_counts": {"AllReduce": 7}},'
        '{"rank": 2, "collective_counts": {"AllReduce": 6}}]}]}'
    )
    collective = read(text, DOCUMENT).collective
    assert (collective.ranks_behind.value, collective.mismatched_communicators.value) == ((2,), 1)


def test_a_cut_report_says_so() -> None:
    assert read(sample("ncclras_json")[:6], DOCUMENT).collective.ranks_behind.absent == "parse_error"
