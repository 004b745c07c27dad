r"""`nvidia-smi topo -m`: how far GPUs are from one another.

\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID
GPU0\t X \tPHB\t0-63\t0\t\tN/A
GPU1\tPHB\t X \t0-63\t0\t\tN/A
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from gpudoctor.model.facts.nvidia_smi import SmiPair
from gpudoctor.readers._gpu_matrix import MAX_GPUS, Matrix, Row, find_matrices, gpu_number, note

_LINK = re.compile(r"NV\d{1,2}|PIX|PXB|PHB|NODE|SYS|SOC")
_SELF = "X"
_OLD_NAMES = {"SOC": "SYS"}  # until about 2016
_CPU, _NUMA = "CPU Affinity", "NUMA Affinity"
_LIST = re.compile(r"[\d,-]{1,400}")  # of CPUs or nodes; "N/A" in many virtual machines


class TopoMatrix(Struct, frozen=True):
    """A matrix as far as its rows could be trusted. Affinities are in the order of `gpus`, None where not told."""

    gpus: tuple[int, ...]
    pairs: tuple[SmiPair, ...]
    cpu_affinity: tuple[str | None, ...]
    numa_affinity: tuple[str | None, ...]
    rejected_rows: tuple[str, ...]  # one line each: which row, and why
    line: int  # of the header, from 1


def topo_matrices(text: str) -> tuple[TopoMatrix, ...]:
    """Every topology matrix in `text`. Matrices of `topo -p2p` are not among them."""
    return tuple(found for matrix in find_matrices(text) if (found := _read(matrix)) is not None)


def read_topo_matrix(text: str) -> TopoMatrix | None:
    """The matrix in `text`: the first from which a pair can be had, else the first at all."""
    found = topo_matrices(text)
    return next((matrix for matrix in found if matrix.pairs), found[0] if found else None)


def _read(matrix: Matrix) -> TopoMatrix | None:
    labels = [device for device in matrix.devices if gpu_number(device) is not None][:MAX_GPUS]
    rows = {row.label: row for row in matrix.rows if row.label in labels}
    complaints = {row.label: complaint for row in rows.values() if (complaint := _complaint(row, matrix))}
    good = {label: row for label, row in rows.items() if label not in complaints}
    if not good and not matrix.columns:
        return None  # cells of another kind: a P2P matrix
    pairs, contradictions = _pairs(matrix, labels, good)
    return TopoMatrix(
        gpus=tuple(gpu_number(label) or 0 for label in labels),
        pairs=pairs,
        cpu_affinity=tuple(_column(good.get(label), matrix, _CPU) for label in labels),
        numa_affinity=tuple(_column(good.get(label), matrix, _NUMA) for label in labels),
        rejected_rows=(*(note(label, complaint) for label, complaint in complaints.items()), *contradictions),
        line=matrix.line,
    )


def _complaint(row: Row, matrix: Matrix) -> str:
    """Why a row cannot be trusted; "" where it can. Every row marks itself with an X, which shows a lost cell."""
    count = len(matrix.devices)
    links, rest = row.cells[:count], row.cells[count:]
    if len(links) < count:
        return f"{len(links)} cells for {count} devices"
    for device, link in zip(matrix.devices, links, strict=True):
        if (link == _SELF) != (device == row.label):
            return f"{link!r} in the column of {device}"
        if link != _SELF and not _LINK.fullmatch(link):
            return f"{link!r} is no link"
    too_many = len(rest) > len(matrix.columns) if matrix.columns else any(map(_LINK.fullmatch, rest))
    return f"{len(row.cells)} cells for {count} devices" if too_many else ""


def _pairs(matrix: Matrix, labels: list[str], good: Mapping[str, Row]) -> tuple[tuple[SmiPair, ...], tuple[str, ...]]:
    column = {device: number for number, device in enumerate(matrix.devices)}
    pairs = []
    contradictions = []
    for a, b in ((a, b) for at, a in enumerate(labels) for b in labels[at + 1 :]):
        links = {good[row].cells[column[other]] for row, other in ((a, b), (b, a)) if row in good}
        links = {_OLD_NAMES.get(link, link) for link in links}
        if len(links) == 1:
            low, high = sorted((gpu_number(a) or 0, gpu_number(b) or 0))
            pairs.append(SmiPair(a=low, b=high, link=links.pop()))
        elif links:
            contradictions.append(note(f"{a}-{b}", f"its two cells differ: {' and '.join(sorted(links))}"))
    return tuple(sorted(pairs, key=lambda pair: (pair.a, pair.b))), tuple(contradictions)


def _column(row: Row | None, matrix: Matrix, name: str) -> str | None:
    """A cell behind the links. Where some are empty, their places shift, so that only a full set is trusted."""
    if row is None or name not in matrix.columns:
        return None
    rest = row.cells[len(matrix.devices) :]
    place = matrix.columns.index(name)
    if len(rest) != len(matrix.columns) and not (place == 0 and rest):
        return None
    return rest[place] if _LIST.fullmatch(rest[place]) else None
