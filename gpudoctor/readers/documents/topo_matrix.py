"""`nvidia-smi topo -m`, alone or inside a report; also where its header or its legend was cut off."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, known
from gpudoctor.model.facts import Facts, NvidiaSmi, SmiPair
from gpudoctor.readers._gpu_matrix import Row, header_devices, row_of
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import LABELS, MAX_VALUE
from gpudoctor.readers.topo_matrix import TopoMatrix, read_topo_matrix

SOURCE = "nvidia-smi topo -m"

_LINK = re.compile(r"X|NV\d{1,2}|PIX|PXB|PHB|NODE|SYS|SOC")
_GPU = re.compile(r"GPU\d{1,3}")
_MAX_LINE = 1 << 14
_MAX_CELLS = 256


def _begins(line: str) -> bool:
    """A header or a row; rows of other tables are told apart when the whole is read."""
    line = line[:_MAX_LINE]
    if header_devices(line) is not None:
        return True
    row = row_of(line)
    return row is not None and _GPU.fullmatch(row.label) is not None and len(_links(row)) > 1


def _read(lines: Sequence[str]) -> Facts:
    matrix = read_topo_matrix("\n".join(_with_header(lines)))
    if matrix is None:
        return Facts()
    return Facts(nvidia_smi=NvidiaSmi(topology=_topology(matrix), cpu_affinity=_affinity(matrix)))


def _with_header(lines: Sequence[str]) -> list[str]:
    """A header made up from the rows, where it was cut off: GPUs first, then the network cards."""
    text = [line[:_MAX_LINE] for line in lines]
    if not text or header_devices(text[0]) is not None:
        return text
    rows = [row for line in text if (row := row_of(line)) is not None]
    width = len(_links(rows[0])) if rows else 0
    gpus = [row.label for row in rows if _GPU.fullmatch(row.label)]
    others = [row.label for row in rows if row.label not in gpus]
    others += [f"NIC{number}" for number in range(width) if f"NIC{number}" not in others]
    devices = [*gpus, *others[: max(0, width - len(gpus))]]
    return (
        ["\t".join([*devices, "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"]), *text]
        if len(set(devices)) == width
        else text
    )


def _links(row: Row) -> list[str]:
    links: list[str] = []
    for cell in row.cells[:_MAX_CELLS]:
        if not _LINK.fullmatch(cell):
            break
        links.append(cell)
    return links


def _topology(matrix: TopoMatrix) -> Fact[tuple[SmiPair, ...]]:
    if matrix.pairs:
        return known(matrix.pairs, SOURCE)
    if matrix.rejected_rows:
        return absent("parse_error", "; ".join(matrix.rejected_rows)[:MAX_VALUE], SOURCE)
    return NOT_PROVIDED


def _affinity(matrix: TopoMatrix) -> Fact[tuple[str, ...]]:
    told = tuple(listed for listed in matrix.cpu_affinity if listed is not None)
    return known(told, SOURCE) if told and len(told) == len(matrix.gpus) else NOT_PROVIDED


DOCUMENT = Document(
    name=SOURCE,
    literals=LABELS,
    begins=_begins,
    read=_read,
    max_lines=400,
    scattered=True,
)
