"""`free`, `free -h`, `free -g`, and /proc/meminfo.

               total        used        free      shared  buff/cache   available
Mem:           503Gi        37Gi       401Gi       1.2Gi        64Gi       462Gi
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Facts, HostMemory
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare, size_bytes

SOURCE = "free"

_ROW = re.compile(r"(Mem|Swap):((?:[ \t]{1,30}\d[\d.]{0,15}[KMGTB]?i?B?){3,7})")
_MEMINFO = re.compile(r"(MemTotal|MemAvailable|SwapTotal|SwapFree):[ \t]{1,30}(\d{1,15}) kB")
_AVAILABLE = 5  # column of "available", since 2014
_MIB_FROM = 1 << 24  # `free -m` on any server has fewer; `free` counts KiB and has more


def _begins(line: str) -> bool:
    text = bare(line)
    return _ROW.fullmatch(text) is not None or _MEMINFO.fullmatch(text) is not None


def _read(lines: Sequence[str]) -> Facts:
    rows: dict[str, list[str]] = {}
    files: dict[str, int] = {}
    for line in lines:
        text = bare(line)
        if row := _ROW.fullmatch(text):
            rows.setdefault(row.group(1), row.group(2).split())
        elif entry := _MEMINFO.fullmatch(text):
            files.setdefault(entry.group(1), int(entry.group(2)) << 10)
    memory, swap = rows.get("Mem", []), rows.get("Swap", [])
    unit = _unit(memory)
    return Facts(
        memory=HostMemory(
            total_bytes=_fact(files.get("MemTotal"), memory, 0, unit),
            available_bytes=_fact(files.get("MemAvailable"), memory, _AVAILABLE, unit),
            swap_total_bytes=_fact(files.get("SwapTotal"), swap, 0, unit),
            swap_free_bytes=_fact(files.get("SwapFree"), swap, 2, unit),
        )
    )


def _unit(columns: Sequence[str]) -> str:
    """What bare numbers count: KiB, with -m MiB, with -g GiB. A server has more than 4096 MiB and less than 16 TiB."""
    if not columns or not columns[0].isdigit():
        return "k"
    total = int(columns[0])
    return "k" if total >= _MIB_FROM >> 4 else "m" if total > 4096 else "g"


def _fact(from_file: int | None, columns: Sequence[str], place: int, unit: str) -> Fact[int]:
    size = from_file
    if size is None and place < len(columns):
        size = size_bytes(columns[place], unit=unit)
    return NOT_PROVIDED if size is None else known(size, SOURCE)


DOCUMENT = Document(
    name=SOURCE,
    literals=("Mem:", "Swap:", "MemTotal:", "MemAvailable:", "SwapTotal:", "SwapFree:"),
    begins=_begins,
    read=_read,
    max_lines=16,
    scattered=True,
)
