"""The table that `nvidia-smi` prints: banner, two or three lines a GPU, MIG devices, processes.

| NVIDIA-SMI 570.86.10              Driver Version: 570.86.10      CUDA Version: 12.8     |
|   0  NVIDIA GeForce RTX 5090        Off |   00000000:41:00.0 Off |                  N/A |
|  0%   34C    P8             11W /  575W |       2MiB /  32607MiB |      0%      Default |
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._smi import gpu_list, smi_facts
from gpudoctor.readers.documents._smi_rows import MORE, ROW, TableReader
from gpudoctor.readers.documents._text import MAX_LINE

SOURCE = "nvidia-smi"

# Since driver 610 the banner says KMD Version and CUDA UMD Version.
_DRIVER = re.compile(r"(?:Driver|KMD) Version: {0,8}(\d{2,4}(?:\.\d{1,4}){1,3})")
_CUDA = re.compile(r"CUDA(?: UMD)?(?: Version)?:? {0,8}(\d{1,2}\.\d{1,2})")
_BANNER = re.compile(r"NVIDIA-SMI {1,8}(\d{2,4}(?:\.\d{1,4}){1,3})")
_ROWS = ("Persistence-M", "| Processes:", "| MIG devices:")
_CELLS = ("MiB |", "MiB  ", "Enabled |", "Enabled* |", "Disabled |", "Disabled* |", "N/A |")


def _begins(line: str) -> bool:
    """Any line of the table that says something; what stands between them does not matter."""
    line = line[:MAX_LINE]
    if _BANNER.search(line) or ROW.search(line):
        return True
    return line.count("|") > 1 and (any(words in line for words in _ROWS) or MORE.search(line) is not None)


def _read(lines: Sequence[str]) -> Facts:
    text = _first_table([line[:MAX_LINE] for line in lines])
    driver = _first(_DRIVER, text) or _first(_BANNER, text)
    cuda = next((found for line in text if "NVIDIA-SMI" in line and (found := _first(_CUDA, [line]))), "")
    table = TableReader(SOURCE)
    for line in text:
        table.line(line)
    return smi_facts(
        SOURCE,
        gpus=gpu_list(table.gpus()),
        partial=not table.complete,
        driver=driver,
        cuda=cuda,
        loaded=bool(driver or table.seen),
    )


def _first_table(lines: list[str]) -> list[str]:
    """Up to the next banner behind a GPU: another time, or another machine."""
    seen = False
    for number, line in enumerate(lines):
        if seen and _BANNER.search(line):
            return lines[:number]
        seen = seen or ROW.search(line) is not None
    return lines


def _first(pattern: re.Pattern[str], lines: Sequence[str]) -> str:
    return next((match.group(1) for line in lines if (match := pattern.search(line))), "")


DOCUMENT = Document(
    name=SOURCE,
    literals=("NVIDIA-SMI", "| 00000000:", "| 0000:", "|   00000000:", *_ROWS, *_CELLS),
    begins=_begins,
    read=_read,
    max_lines=600,
    scattered=True,
)
