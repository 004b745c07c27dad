"""What holds for every kind of document, found by directory."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpudoctor.model.facts import Facts
from gpudoctor.model.facts.root import DERIVED
from gpudoctor.readers.document import Document, blocks, documents
from tests.fuzz.mutate import mutated
from tests.fuzz.readers import feed, kinds, samples
from tests.readers.documents.reading import LOG, SAMPLES, found

KINDS = kinds()
WHOLE = sorted(file.name for file in SAMPLES.iterdir())


@pytest.fixture(params=sorted(KINDS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def kind(name: str) -> Document:
    return KINDS[name]


def test_every_kind_is_found_by_directory() -> None:
    assert {kind.name for kind in documents()} == {kind.name for kind in KINDS.values()}
    assert len({kind.name for kind in documents()}) == len(documents())


def test_every_kind_has_a_sample_and_no_sample_is_of_nobody(name: str) -> None:
    assert samples(name)
    assert {file.partition(".")[0] for file in WHOLE} <= set(KINDS)


def test_a_whole_document_is_recognised_and_says_something(name: str, kind: Document) -> None:
    for text in samples(name):
        read = [kind.read(block.lines) for block in found(text.splitlines(), kind)]
        assert any(facts != Facts() for facts in read), text


def test_only_raw_facts_are_read(name: str, kind: Document) -> None:
    empty = Facts()
    for text in samples(name):
        for block in found(text.splitlines(), kind):
            facts = kind.read(block.lines)
            assert all(getattr(facts, section) == getattr(empty, section) for section in DERIVED)


def test_known_facts_name_their_source(name: str, kind: Document) -> None:
    for text in samples(name):
        for block in found(text.splitlines(), kind):
            raw = msgspec.to_builtins(kind.read(block.lines))
            for section in raw.values():
                for fact in section.values():
                    assert "absent" in fact or fact.get("source"), fact


def test_a_literal_is_in_the_first_line_of_every_block(name: str, kind: Document) -> None:
    for text in samples(name):
        for block in found(text.splitlines(), kind):
            assert any(literal in block.lines[0] for literal in kind.literals)


def test_lines_of_a_log_are_no_document(kind: Document) -> None:
    for block in blocks(LOG, [kind]):
        assert kind.read(block.lines) == Facts(), block.lines


def test_a_document_is_found_inside_of_a_log(name: str, kind: Document) -> None:
    for text in samples(name):
        alone = [kind.read(block.lines) for block in found(text.splitlines(), kind)]
        inside = [kind.read(block.lines) for block in found([*LOG, *text.splitlines(), "", *LOG], kind)]
        assert [facts for facts in inside if facts != Facts()] == [facts for facts in alone if facts != Facts()]


def test_a_cut_document_is_read_or_left(name: str, kind: Document) -> None:
    for text in samples(name):
        lines = text.splitlines()
        for cut in range(len(lines)):
            for part in (lines[cut:], lines[:cut]):
                for block in found(part, kind):
                    assert isinstance(kind.read(block.lines), Facts)


def test_nothing_that_is_damaged_raises(name: str, kind: Document) -> None:
    dice = random.Random(name)
    everything = [text for other in KINDS for text in samples(other)]
    for _ in range(150):
        feed(mutated([*samples(name), dice.choice(everything)], dice), kind)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.text(max_size=80), max_size=6), data=st.data())
def test_no_text_at_all_raises(name: str, kind: Document, lines: list[str], data: st.DataObject) -> None:
    """Random lines between random pieces of a real document."""
    whole = data.draw(st.sampled_from(samples(name))).splitlines()
    start = data.draw(st.integers(0, len(whole) - 1))
    feed("\n".join([*whole[start : start + 5], *lines, *whole[start + 5 :]]), kind)


def test_read_takes_any_lines(kind: Document) -> None:
    for lines in ([], [""], ["\x00"], ["x" * 200_000], ["GPU0"] * 1000, ["{"], ["<gpu id="], ["- " * 5000]):
        assert isinstance(kind.read(lines), Facts)


def test_blocks_are_bounded(kind: Document) -> None:
    first = next(line for name, one in KINDS.items() if one is kind for line in samples(name)[0].splitlines())
    for block in blocks([first] * (kind.max_lines * 2 + 10), [kind]):
        assert len(block.lines) <= kind.max_lines
