"""`nvidia-smi topo -m` in the forms in which it is printed and pasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model.facts.nvidia_smi import SmiPair
from gpudoctor.readers.p2p_matrix import p2p_matrices
from gpudoctor.readers.topo_matrix import TopoMatrix, read_topo_matrix, topo_matrices
from tests.sim import machine, smi_topo, topology

TWO = (
    "\t\x1b[4mGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n"
    "GPU0\t X \tPHB\t0-63\t0\t\tN/A\n"
    "GPU1\tPHB\t X \t0-63\t0\t\tN/A\n"
    "\nLegend:\n\n  X    = Self\n"
)
CARDS = (
    "\tGPU0\tGPU1\tmlx5_0\tNIC1\tCPU Affinity\tNUMA Affinity\n"
    "GPU0\t X \tNV4\tPIX\tSYS\t0-31\t0\n"
    "GPU1\tNV4\t X \tSYS\tPIX\t32-63\t1\n"
    "mlx5_0\tPIX\tSYS\t X \tSYS\n"
    "NIC1\tSYS\tPIX\tSYS\t X \n"
    "\nNIC Legend:\n\n  NIC1: mlx5_1\n"
)
MACHINES = {name: described for name in machine.names() if (described := machine.load(name)).gpus}


def read(text: str) -> TopoMatrix:
    matrix = read_topo_matrix(text)
    assert matrix is not None
    return matrix


def links(text: str) -> dict[tuple[int, int], str]:
    return {(pair.a, pair.b): pair.link for pair in read(text).pairs}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machines_matrix_is_read_back(name: str) -> None:
    described = MACHINES[name]
    matrix = read(smi_topo.matrix(described))
    count = len(described.gpus)
    assert matrix.gpus == tuple(range(count))
    assert matrix.rejected_rows == ()
    expected = {(a, b): topology.cell(described, a, b) for a in range(count) for b in range(a + 1, count)}
    assert {(pair.a, pair.b): pair.link for pair in matrix.pairs} == expected
    assert [listed for listed in matrix.cpu_affinity if listed] == [
        listed for gpu in described.gpus if (listed := topology.cpu_list(described, gpu))
    ]


def test_affinities_are_told_by_column_name() -> None:
    matrix = read(CARDS)
    assert matrix.cpu_affinity == ("0-31", "32-63")
    assert matrix.numa_affinity == ("0", "1")
    assert read(TWO).numa_affinity == ("0", "0")
    assert matrix.line == 1


def test_affinities_that_are_not_told_are_none() -> None:
    matrix = read(
        "\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n"
        "GPU0\t X \tPHB\t0-63\t\tN/A\t\tN/A\n"
        "GPU1\tPHB\t X \t\t\tN/A\n"
    )
    assert matrix.cpu_affinity == ("0-63", None)
    assert matrix.numa_affinity == (None, None)
    assert matrix.pairs == (SmiPair(a=0, b=1, link="PHB"),)


def test_network_cards_are_no_gpus() -> None:
    matrix = read(CARDS)
    assert matrix.gpus == (0, 1)
    assert matrix.pairs == (SmiPair(a=0, b=1, link="NV4"),)
    assert matrix.rejected_rows == ()


def test_a_matrix_of_one_gpu_has_no_pairs() -> None:
    matrix = read("\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t0-15\tN/A\n")
    assert (matrix.gpus, matrix.pairs, matrix.rejected_rows) == ((0,), (), ())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\t", "        "),
        lambda text: text.expandtabs(8),
        lambda text: text.replace("\x1b[4m", "").replace("\x1b[0m", ""),
        lambda text: text.replace("\x1b", ""),
        lambda text: text.replace("\x1b", "^["),
        lambda text: text.replace("\t\x1b[4m", "\x1b[4m\t"),
        lambda text: text.replace(" X ", "X"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: "user@node:~$ nvidia-smi topo -m\n" + text,
        lambda text: "```\n" + text + "```\nThanks!",
        lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
        lambda text: "".join(f"2026-11-01T10:00:00.123Z  {line}\n" for line in text.splitlines()),
        lambda text: "".join(f"(EngineCore pid=4711) INFO 11-01 [x.py:5] {line}\n" for line in text.splitlines()),
        lambda text: "GPU 0: NVIDIA L4\nGPU0 is hot, GPU1 is not\nGPU0 GPU1 hang\n" + text,
        lambda text: text.replace("Legend:", "GPU2 was removed"),
        lambda text: text.replace("\t", " \xa0"),
    ],
)
def test_what_pasting_does_to_a_table_changes_nothing(change: object) -> None:
    assert callable(change)
    assert links(change(TWO)) == {(0, 1): "PHB"}
    assert links(change(CARDS)) == {(0, 1): "NV4"}


def test_a_merged_cell_costs_its_row_and_not_the_pairs_that_other_rows_tell() -> None:
    matrix = read(
        "\tGPU0\tGPU1\tGPU2\tCPU Affinity\n"
        "GPU0\t X \tNODENODE\t0-7\n"
        "GPU1\tNODE\t X \tSYS\t0-7\n"
        "GPU2\tNODE\tSYS\t X \t0-7\n"
    )
    assert {(pair.a, pair.b): pair.link for pair in matrix.pairs} == {(0, 1): "NODE", (0, 2): "NODE", (1, 2): "SYS"}
    assert matrix.rejected_rows == ("GPU0: 'NODENODE' is no link",)


@pytest.mark.parametrize(
    "row",
    [
        "GPU0\tPHB\t X \t0-7",  # shifted
        "GPU0\t X \tphb\t0-7",
        "GPU0\t X \tPHB\tSYS\t0-7",  # a cell too many
        "GPU0\t X ",
        "GPU0\t X \tX\t0-7",
        "GPU0\t X \tNV\t0-7",
        "GPU0\t X \tNV123\t0-7",
        "GPU0\t X \tERR!\t0-7",
    ],
)
def test_a_row_that_does_not_fit_is_rejected_with_its_name(row: str) -> None:
    matrix = read(f"\tGPU0\tGPU1\tCPU Affinity\n{row}\nGPU1\tPXB\t X \t0-7\n")
    assert matrix.pairs == (SmiPair(a=0, b=1, link="PXB"),)
    assert len(matrix.rejected_rows) == 1
    assert matrix.rejected_rows[0].startswith("GPU0: ")


def test_two_cells_that_contradict_one_another_are_no_pair() -> None:
    matrix = read("\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tPIX\t0\nGPU1\tSYS\t X \t0\n")
    assert matrix.pairs == ()
    assert matrix.rejected_rows == ("GPU0-GPU1: its two cells differ: PIX and SYS",)


def test_a_table_that_ends_early_keeps_what_there_is() -> None:
    matrix = read("\tGPU0\tGPU1\tGPU2\tCPU Affinity\nGPU0\t X \tPIX\tSYS\t0-7\n")
    assert matrix.pairs == (SmiPair(a=0, b=1, link="PIX"), SmiPair(a=0, b=2, link="SYS"))


def test_a_selection_of_gpus_keeps_its_numbers() -> None:
    matrix = read("\tGPU2\tGPU10\tCPU Affinity\nGPU2\t X \tPIX\t0-7\nGPU10\tPIX\t X \t0-7\n")
    assert matrix.gpus == (2, 10)
    assert matrix.pairs == (SmiPair(a=2, b=10, link="PIX"),)


def test_the_name_that_sys_had_until_2016_means_sys() -> None:
    assert links(TWO.replace("PHB", "SOC")) == {(0, 1): "SYS"}


def test_every_table_of_a_text_is_found_and_the_first_good_one_read() -> None:
    broken = TWO.replace("PHB", "???")
    text = f"{broken}\nnode 2:\n{TWO}\n{CARDS}"
    assert [len(matrix.pairs) for matrix in topo_matrices(text)] == [0, 1, 1]
    assert links(text) == {(0, 1): "PHB"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GPU0",
        "GPU0 GPU1",
        "no table",
        "GPU0\tGPU0\tCPU Affinity\nGPU0\tX\tPIX\n",
        " \tGPU0\tGPU1\t\n GPU0\tX\tGNS\t\n GPU1\tGNS\tX\t\n",
        "\tGPU0\tGPU1\tCPU Affinity\n",
    ],
)
def test_what_is_no_topology_matrix_is_none(text: str) -> None:
    assert read_topo_matrix(text) is None


PIECES = st.sampled_from(
    [
        "GPU0",
        "GPU1",
        "GPU2",
        "NIC0",
        "mlx5_0",
        "X",
        " X ",
        "PIX",
        "SYS",
        "NV4",
        "OK",
        "GNS",
        "NODENODE",
        "CPU Affinity",
        "NUMA Affinity",
        "GPU NUMA ID",
        "N/A",
        "0-63",
        "\t",
        "\t\t",
        " ",
        "\n",
        "\r\n",
        "\x1b[4m",
        "\x1b[0m",
        "Legend:",
        "-p2p rw",
        "|",
        ">",
        "\0",
        "é",
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=200).map("\t".join), st.lists(PIECES, max_size=200).map("".join)))
def test_any_text_is_read_without_an_exception_and_nothing_is_made_up(text: str) -> None:
    for matrix in topo_matrices(text):
        assert all(pair.a < pair.b and pair.link in text.replace("SOC", "SYS") for pair in matrix.pairs)
        assert len({(pair.a, pair.b) for pair in matrix.pairs}) == len(matrix.pairs)
        assert len(matrix.gpus) == len(matrix.cpu_affinity) == len(matrix.numa_affinity)
    for p2p in p2p_matrices(text):
        assert all(cell.a != cell.b and cell.status in text for cell in p2p.cells)


@pytest.mark.parametrize(
    "text",
    [
        "GPU0 GPU1 CPU Affinity\n" * 20000,
        ("GPU0 GPU1 CPU Affinity\n" + "\n" * 50) * 2000,
        "GPU0 " * 200000,
        "\x1b[" * 200000,
        "[" + "0;" * 200000,
        " ".join(f"GPU{number}" for number in range(900)) + "\n" + "GPU0 X\n" * 5000,
        "-p2p " * 100000 + "\n" + TWO,
    ],
)
def test_a_long_hostile_text_ends(text: str) -> None:
    topo_matrices(text)
    p2p_matrices(text)
