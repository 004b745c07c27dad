"""RAS in words."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.ncclras import DOCUMENT
from tests.readers.documents.reading import LOG, found, read, sample


def test_missing_ranks_laggards_and_the_dead() -> None:
    collective = read(sample("ncclras"), DOCUMENT).collective
    assert (collective.nodes.value, collective.ranks_expected.value) == (4, 32)
    assert collective.ranks_missing.value == (21,)
    assert (collective.ranks_behind.value, collective.ranks_behind_count.value) == ((0, 2), 6)
    assert (collective.dead_processes.value, collective.mismatched_communicators.value) == (1, 1)


def test_counts_since_2_26_are_of_each_operation() -> None:
    text = (
        "Communicators... (0.00s)\n"
        "  3 ranks have launched up to AllReduce operation 10\n  1 rank has launched up to Broadcast operation 2\n"
    )
    assert read(text, DOCUMENT) == Facts()  # different operations: nobody is behind


def test_a_healthy_job() -> None:
    text = "\n".join(sample("ncclras"))
    collective = read(text[: text.index("Errors\n======")].replace("MISMATCH", "OK"), DOCUMENT).collective
    assert (collective.ranks_behind_count.value, collective.dead_processes.value) == (0, 0)
    assert collective.mismatched_communicators.value == 0


def test_the_errors_alone() -> None:
    lines = sample("ncclras")
    start = next(number for number, line in enumerate(lines) if "considered dead" in line)
    collective = read(lines[start:], DOCUMENT).collective
    assert (collective.dead_processes.value, collective.ranks_missing.value) == (1, (21,))


def test_a_log_that_follows_ends_it() -> None:
    (block,) = found([*sample("ncclras"), *LOG[3:6]], DOCUMENT)
    assert len(block.lines) == len(sample("ncclras"))
