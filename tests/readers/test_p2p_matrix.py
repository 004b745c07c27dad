"""`nvidia-smi topo -p2p` in the forms in which it is printed and pasted."""

from __future__ import annotations

import pytest

from gpudoctor.model.facts.nvidia_smi import SmiP2p
from gpudoctor.readers.p2p_matrix import P2pMatrix, p2p_matrices, read_p2p_matrix
from tests.sim import machine, smi_topo, topology

PRINTED = " \tGPU0\tGPU1\t\n GPU0\tX\tGNS\t\n GPU1\tOK\tX\t\n\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n"
MACHINES = {name: described for name in machine.names() if len((described := machine.load(name)).gpus) > 1}


def read(text: str, capability: str = "read") -> P2pMatrix:
    matrix = read_p2p_matrix(text, capability)
    assert matrix is not None
    return matrix


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize(("capability", "ours"), [("read", "read"), ("write", "write"), ("pci", "pcie")])
def test_a_machines_matrix_is_read_back(name: str, capability: str, ours: str) -> None:
    described = MACHINES[name]
    matrix = read(smi_topo.p2p(described, capability), ours)
    assert matrix.gpus == tuple(range(len(described.gpus)))
    assert len(matrix.cells) == len(described.gpus) * (len(described.gpus) - 1)
    for cell in matrix.cells:
        assert cell == SmiP2p(
            a=cell.a, b=cell.b, capability=ours, status=getattr(topology.p2p(described, cell.a, cell.b), capability)
        )


def test_both_directions_are_kept() -> None:
    assert read(PRINTED).cells == (
        SmiP2p(a=0, b=1, capability="read", status="GNS"),
        SmiP2p(a=1, b=0, capability="read", status="OK"),
    )


@pytest.mark.parametrize(
    ("command", "capabilities"),
    [
        ("$ nvidia-smi topo -p2p w", ("write",)),
        ("root@x:~# nvidia-smi topo -p2p n", ("nvlink",)),
        ("nvidia-smi topo -p2p rw", ("read", "write")),
        ("nvidia-smi topo -p2p p && echo done", ("pcie",)),
        ("first nvidia-smi topo -p2p r then nvidia-smi topo -p2p a", ("atomics",)),
        ("nvidia-smi topo -p2p", ("read",)),
        ("nvidia-smi topo -p2p -r", ("read",)),
        ("nvidia-smi topo -p2p rz", ("read",)),
        ("", ("read",)),
    ],
)
def test_the_command_above_the_table_tells_what_was_asked(command: str, capabilities: tuple[str, ...]) -> None:
    (matrix,) = p2p_matrices(f"{command}\n{PRINTED}")
    assert matrix.capabilities == capabilities
    assert {cell.capability for cell in matrix.cells} == set(capabilities)
    assert matrix.line == 2


def test_each_table_of_a_paste_has_its_own_command() -> None:
    text = f"$ nvidia-smi topo -p2p r\n{PRINTED}\n$ nvidia-smi topo -p2p w\n{PRINTED}\nand\n{PRINTED}"
    assert [matrix.capabilities for matrix in p2p_matrices(text)] == [("read",), ("write",), ("read",)]


def test_a_topology_matrix_beside_it_is_not_read_as_one() -> None:
    topo = "\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tPHB\t0-7\nGPU1\tPHB\t X \t0-7\n"
    assert len(p2p_matrices(topo + PRINTED)) == 1
    assert p2p_matrices(topo) == ()


@pytest.mark.parametrize(
    "row", [" GPU0\tGNS\tX\t", " GPU0\tX\tXYZ\t", " GPU0\tX\t", " GPU0\tX\tOK\tOK\t", " GPU0\tX\tok\t"]
)
def test_a_row_that_does_not_fit_is_rejected_with_its_name(row: str) -> None:
    matrix = read(f" \tGPU0\tGPU1\t\n{row}\n GPU1\tCNS\tX\t\n")
    assert matrix.cells == (SmiP2p(a=1, b=0, capability="read", status="CNS"),)
    assert len(matrix.rejected_rows) == 1
    assert matrix.rejected_rows[0].startswith("GPU0: ")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.expandtabs(8),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("X", " X "),
        lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
        lambda text: text.partition("\n\n")[0],
    ],
)
def test_what_pasting_does_to_a_table_changes_nothing(change: object) -> None:
    assert callable(change)
    assert read(change(PRINTED)).cells == read(PRINTED).cells
