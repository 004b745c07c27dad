r"""`nvidia-smi topo -p2p`: which GPUs the driver lets reach one another's memory.

\tGPU0\tGPU1\t
GPU0\tX\tGNS\t
GPU1\tGNS\tX\t
"""

from __future__ import annotations

import re

from msgspec import Struct

from gpudoctor.model.facts.nvidia_smi import SmiP2p
from gpudoctor.readers._gpu_matrix import MAX_GPUS, Matrix, Row, find_matrices, gpu_number, note

CAPABILITIES = {"r": "read", "w": "write", "n": "nvlink", "a": "atomics", "p": "pcie"}

_STATUSES = frozenset({"OK", "CNS", "GNS", "TNS", "DR", "NS", "U"})
_SELF = "X"
_COMMAND = re.compile(r"-p2p[ \t]{1,8}([rwnap]{1,5})(?![\w-])")


class P2pMatrix(Struct, frozen=True):
    """A matrix as far as its rows could be trusted."""

    gpus: tuple[int, ...]
    capabilities: tuple[str, ...]
    cells: tuple[SmiP2p, ...]  # ordered pairs; one for each capability
    rejected_rows: tuple[str, ...]  # one line each: which row, and why
    line: int  # of the header, from 1


def p2p_matrices(text: str, capability: str = "read") -> tuple[P2pMatrix, ...]:
    """Every P2P matrix in `text`.

    The table does not say what was asked. Where the command stands above it, its letters tell (with several letters
    each capability gets the common answer); else it is `capability`: "r" is what people paste.
    """
    return tuple(found for matrix in find_matrices(text) if (found := _read(matrix, capability)) is not None)


def read_p2p_matrix(text: str, capability: str) -> P2pMatrix | None:
    """The first P2P matrix in the program's output."""
    found = p2p_matrices(text, capability)
    return found[0] if found else None


def _read(matrix: Matrix, capability: str) -> P2pMatrix | None:
    if matrix.columns or any(gpu_number(device) is None for device in matrix.devices[:MAX_GPUS]):
        return None
    complaints = {row.label: complaint for row in matrix.rows if (complaint := _complaint(row, matrix))}
    if len(complaints) == len(matrix.rows):
        return None
    asked = _asked(matrix.before) or (capability,)
    return P2pMatrix(
        gpus=tuple(gpu_number(device) or 0 for device in matrix.devices[:MAX_GPUS]),
        capabilities=asked,
        cells=tuple(
            SmiP2p(a=gpu_number(row.label) or 0, b=gpu_number(device) or 0, capability=name, status=status)
            for name in asked
            for row in matrix.rows
            if row.label not in complaints
            for device, status in zip(matrix.devices[:MAX_GPUS], row.cells, strict=False)
            if device != row.label
        ),
        rejected_rows=tuple(note(label, complaint) for label, complaint in complaints.items()),
        line=matrix.line,
    )


def _complaint(row: Row, matrix: Matrix) -> str:
    """Why a row cannot be trusted; "" where it can."""
    if len(row.cells) != len(matrix.devices):
        return f"{len(row.cells)} cells for {len(matrix.devices)} GPUs"
    for device, status in zip(matrix.devices, row.cells, strict=True):
        if (status == _SELF) != (device == row.label):
            return f"{status!r} in the column of {device}"
        if status != _SELF and status not in _STATUSES:
            return f"{status!r} is no status"
    return ""


def _asked(before: tuple[str, ...]) -> tuple[str, ...]:
    """The capabilities of the nearest command above the table."""
    for line in reversed(before):
        commands = _COMMAND.findall(line)
        if commands:
            return tuple(dict.fromkeys(CAPABILITIES[letter] for letter in commands[-1]))
    return ()
