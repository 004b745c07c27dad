"""`nvidia-smi topo -p2p r|w|n|a|p`: which GPUs the driver lets reach one another's memory."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, NvidiaSmi
from gpudoctor.readers._gpu_matrix import header_devices, row_of
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import LABELS
from gpudoctor.readers.p2p_matrix import p2p_matrices

SOURCE = "nvidia-smi topo -p2p"

_MAX_LINE = 1 << 14
_STATUS = frozenset({"OK", "CNS", "GNS", "TNS", "DR", "NS", "U", "X"})


def _begins(line: str) -> bool:
    """The command, which says what was asked; a header; a row."""
    line = line[:_MAX_LINE]
    if "-p2p" in line:
        return "topo" in line
    header = header_devices(line)
    if header is not None:
        return not header[1]
    row = row_of(line)
    return row is not None and len(row.cells) > 1 and _STATUS.issuperset(row.cells)


def _read(lines: Sequence[str]) -> Facts:
    found = p2p_matrices("\n".join(line[:_MAX_LINE] for line in lines))
    if not found:
        return Facts()
    return Facts(nvidia_smi=NvidiaSmi(p2p=known(tuple(cell for matrix in found for cell in matrix.cells), SOURCE)))


DOCUMENT = Document(name=SOURCE, literals=("-p2p", *LABELS), begins=_begins, read=_read, max_lines=400, scattered=True)
