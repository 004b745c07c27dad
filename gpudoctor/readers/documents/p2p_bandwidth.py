r"""Measured paths between GPUs: the matrices of p2pBandwidthLatencyTest, and nvbandwidth's copies between devices.

Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)
   D\\D     0      1
     0 730.95   0.67
P2P=Enabled Latency (P2P Writes) Matrix (us)
   GPU     0      1
     0   1.92 49205.11
memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)
           0         1
 0       N/A     25.11
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Facts, Log, PeerTest
from gpudoctor.readers.document import TOOL, Document
from gpudoctor.readers.documents._text import bare

SOURCE = "p2pBandwidthLatencyTest"

_TITLE = re.compile(r"(?:Unidirectional )?P2P=(Enabled|Disabled) (Bandwidth|Latency).{0,40}Matrix \((?:GB/s|us)\)")
_COPIES = re.compile(r"memcpy (?:CE|SM) GPU\(row\) (?:->|<-) GPU\(column\) bandwidth \(GB/s\)")
_HEADER = re.compile(r"(?:D\\D|GPU)?((?:[ \t]{0,12}\d{1,2}\b){2,64})")
_ROW = re.compile(r"(\d{1,2})((?:[ \t]{1,12}(?:\d{1,7}\.\d{1,4}|N/A)){2,64})")
_FIELDS = {
    ("Enabled", "Bandwidth"): "direct_gbs",
    ("Disabled", "Bandwidth"): "staged_gbs",
    ("Enabled", "Latency"): "latency_us",
}
_MAX_PAIRS = 4096


def _field(text: str) -> str | None:
    """What the matrix under this title tells; "" where it tells nothing that is kept, None where it is no title."""
    if match := _TITLE.fullmatch(text):
        return _FIELDS.get((match.group(1), match.group(2)), "")
    if _COPIES.fullmatch(text):
        return "direct_gbs"
    return "" if "Matrix (" in text else None


def _begins(line: str) -> bool:
    return bool(_field(bare(line)))


def _belongs(line: str, _taken: int) -> bool:
    text = bare(line)
    if not text or _field(text) is not None:
        return True
    return text.startswith("CPU ") or _HEADER.fullmatch(text) is not None or _ROW.fullmatch(text) is not None


def _read(lines: Sequence[str]) -> Facts:
    found: dict[tuple[int, int], dict[str, Fact[float]]] = {}
    field, columns = "", [0]
    for line in lines:
        text = bare(line)
        title = _field(text)
        if title is not None:
            field, columns = title, []
        elif text.startswith("CPU "):
            field = ""  # launch times of the CPU follow the latencies of the GPUs
        elif header := _HEADER.fullmatch(text):
            columns = [int(word) for word in header.group(1).split()]
        elif field and (row := _ROW.fullmatch(text)):
            cells = row.group(2).split()
            if len(cells) != len(columns):
                continue
            a = int(row.group(1))
            for b, cell in zip(columns, cells, strict=True):
                if a != b and cell != "N/A" and len(found) < _MAX_PAIRS:
                    found.setdefault((a, b), {}).setdefault(field, known(float(cell), SOURCE))
    tests = tuple(
        PeerTest(
            a=a,
            b=b,
            direct_gbs=values.get("direct_gbs", NOT_PROVIDED),
            staged_gbs=values.get("staged_gbs", NOT_PROVIDED),
            latency_us=values.get("latency_us", NOT_PROVIDED),
        )
        for (a, b), values in found.items()
    )
    return Facts(log=Log(peer_tests=known(tests, SOURCE))) if tests else Facts()


DOCUMENT = Document(
    name=SOURCE,
    literals=("P2P=Enabled", "P2P=Disabled", "memcpy CE GPU(row)", "memcpy SM GPU(row)"),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=1000,
    trust=TOOL,
)
