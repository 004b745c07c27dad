"""Lines that name GPUs by number: `nvidia-smi -L`, the lists of collect_env and check_env, hand-written ones.

GPU 0: NVIDIA A10 (UUID: GPU-3b70e2a4-19cd-6f51-80a7-d25c0e9f1b34)
GPU 1: NVIDIA GeForce RTX 3090 | 24576 MiB | PCIe: x16 Gen 3
GPU 0,1,2,3: NVIDIA H100 80GB HBM3
[0] NVIDIA GeForce RTX 3090 | 45'C,   0 % |     3 / 24576 MB |
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import REPORT, Document
from gpudoctor.readers.documents._gpu_names import canonical, looks_like_gpu
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, gpu_list, smi_facts
from gpudoctor.readers.documents._text import MAX_LINE, size_bytes

SOURCE = "list of GPUs"

_LINE = re.compile(
    r"(?:[-*•] ?)?(?:GPU models and configuration ?: ?)?(?:\[\d{1,2}\] ?)?"
    r"(?:GPU|gpu|Gpu)[ #]?(\d{1,2}(?: ?, ?\d{1,2}){0,63}) ?[:=] ?([A-Z].{1,200})"
)
_GPUSTAT = re.compile(
    r"\[(\d{1,2})\] ([A-Z][^|]{1,60}?) {0,40}\|[^|]{1,60}\| {0,12}\d{1,7} / {1,12}(\d{3,7}) MB {0,4}(?:\|.{0,300})?"
)
_UUID = re.compile(r"\(?UUID: ?(GPU-[0-9a-fA-F-]{8,40})")
_MIG = re.compile(r"MIG \d{1,2}c?\.?\d?g\.\d{1,3}gb\S{0,8}\s{1,8}Device {1,4}\d{1,2}: \(UUID: (MIG-\S{4,120}?)\)")
_REMARKS = re.compile(r"[|,;(\[]| - ")
_MEMORY = re.compile(r"(\d{4,6}) ?MiB|(?<![\d.])(\d{1,3}) ?GB?i?B?\b", re.IGNORECASE)
_WIDTH = re.compile(r"\bx(16|8|4|2|1)\b")
_GENERATION = re.compile(r"\b(?:PCIe|Gen)[ .]?([1-6])(?:\.0)?\b", re.IGNORECASE)
_COUNTED_ELSEWHERE = ("Compute Capability", "MiB /", "% ")


def _begins(line: str) -> bool:
    return _MIG.search(line[:MAX_LINE]) is not None or bool(_listed(line))


def _read(lines: Sequence[str]) -> Facts:
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        mig = _MIG.search(line[:MAX_LINE])
        if mig is not None and found:
            last = found[max(found)]
            last["mig_devices"] = last.get("mig_devices", 0) + 1
            last["mig_enabled"] = True
        for index, values in _listed(line):
            found[index] = {**values, **found.get(index, {})}
    gpus = gpu_list(gpu(index, values, SOURCE) for index, values in sorted(found.items()))
    return smi_facts(SOURCE, gpus=gpus)


def _listed(line: str) -> list[tuple[int, dict[str, Any]]]:
    """The GPUs that a line names; one name may stand for several numbers."""
    by_gpustat = _GPUSTAT.fullmatch(line[:MAX_LINE].strip())
    if by_gpustat is not None and looks_like_gpu(by_gpustat.group(2)):
        size = int(by_gpustat.group(3)) << 20
        return [(int(by_gpustat.group(1)), {"name": canonical(by_gpustat.group(2), size), "memory_total_bytes": size})]
    match = _LINE.match(line[:MAX_LINE].strip())
    if match is None or any(words in line for words in _COUNTED_ELSEWHERE):
        return []
    text = match.group(2)
    name = _REMARKS.split(text, maxsplit=1)[0].strip()
    if not looks_like_gpu(name):
        return []
    memory = _memory(text[len(name) :])
    values: dict[str, Any] = {"name": canonical(name, memory), "memory_total_bytes": memory, **_link(text[len(name) :])}
    uuid = _UUID.search(text)
    if uuid is not None:
        values["uuid"] = uuid.group(1)
    numbers = [int(number) for number in match.group(1).replace(" ", "").split(",")]
    return [(number, values) for number in numbers if number < MAX_GPUS]


def _memory(text: str) -> int | None:
    match = _MEMORY.search(text)
    if match is None:
        return None
    return size_bytes(f"{match.group(1)}MiB") if match.group(1) else size_bytes(f"{match.group(2)}G")


def _link(text: str) -> dict[str, Any]:
    """Width and generation of the slot, where a remark tells them."""
    width = _WIDTH.search(text)
    generation = _GENERATION.search(text)
    return {
        "pcie_width": int(width.group(1)) if width else None,
        "pcie_generation": int(generation.group(1)) if generation and width else None,
    }


DOCUMENT = Document(
    name=SOURCE,
    literals=(
        *(
            f"{word}{number}{end}"
            for word in ("GPU ", "GPU", "GPU #", "gpu")
            for number in range(16)
            for end in (":", ",")
        ),
        *(f"GPU {number} " for number in range(16)),
        *(f"[{number}] " for number in range(16)),
        "(UUID: MIG-",
    ),
    begins=_begins,
    read=_read,
    max_lines=200,
    scattered=True,
    trust=REPORT,
)
