"""`nvidia-smi topo -m` in pastes."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.topo_matrix import DOCUMENT
from tests.readers.documents.reading import LOG, read, sample


def links(facts: Facts) -> dict[tuple[int, int], str]:
    return {(pair.a, pair.b): pair.link for pair in facts.nvidia_smi.topology.or_none() or ()}


WHOLE = {(0, 1): "NV4", (0, 2): "NODE", (0, 3): "SYS", (1, 2): "NODE", (1, 3): "SYS", (2, 3): "SYS"}


def test_a_whole_matrix_with_network_cards() -> None:
    facts = read(sample("topo_matrix"), DOCUMENT)
    assert links(facts) == WHOLE
    assert facts.nvidia_smi.cpu_affinity.value == ("0-31", "0-31", "0-31", "32-63")


def test_tabs_turned_into_spaces() -> None:
    assert links(read([line.expandtabs(8) for line in sample("topo_matrix")], DOCUMENT)) == WHOLE


def test_a_matrix_without_its_header() -> None:
    assert links(read(sample("topo_matrix")[1:5], DOCUMENT)) == WHOLE


def test_lines_of_a_log_between_the_rows() -> None:
    mixed = [line for pair in zip(sample("topo_matrix"), LOG, strict=False) for line in pair]
    assert links(read(mixed, DOCUMENT)) == WHOLE


def test_a_row_with_merged_cells_is_left_out() -> None:
    lines = [line.replace("GPU2\tNODE\tNODE", "GPU2\tNODENODE") for line in sample("topo_matrix")]
    assert links(read(lines, DOCUMENT)) == WHOLE  # the other rows say the same


def test_cut_rows_leave_what_the_others_tell() -> None:
    found = links(read(sample("topo_matrix")[:3], DOCUMENT))
    assert found == {pair: link for pair, link in WHOLE.items() if pair != (2, 3)}


def test_a_matrix_of_peer_access_is_none() -> None:
    assert read(sample("p2p_matrix"), DOCUMENT) == Facts()
