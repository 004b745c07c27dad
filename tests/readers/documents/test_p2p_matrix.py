"""`nvidia-smi topo -p2p` in pastes."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.p2p_matrix import DOCUMENT
from tests.readers.documents.reading import read, sample


def statuses(facts: Facts, capability: str) -> set[tuple[int, int, str]]:
    return {(c.a, c.b, c.status) for c in facts.nvidia_smi.p2p.or_none() or () if c.capability == capability}


def test_the_command_tells_what_was_asked() -> None:
    facts = read(sample("p2p_matrix"), DOCUMENT)
    assert (0, 1, "OK") in statuses(facts, "read")
    assert (2, 0, "CNS") in statuses(facts, "read")
    assert {status for _, _, status in statuses(facts, "write")} == {"GNS"}


def test_without_the_command_it_is_reading() -> None:
    lines = [line for line in sample("p2p_matrix")[:6] if "-p2p" not in line]
    assert statuses(read(lines, DOCUMENT), "read")


def test_a_damaged_row_is_left_out() -> None:
    lines = [line.replace("GPU1\tOK\tX", "GPU1\tOK\tOK") for line in sample("p2p_matrix")[:5]]
    assert {a for a, _, _ in statuses(read(lines, DOCUMENT), "read")} == {0, 2}


def test_a_topology_is_none() -> None:
    assert read(sample("topo_matrix"), DOCUMENT) == Facts()
