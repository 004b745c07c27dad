"""`nvidia-smi nvlink -s` (state of each link) and `-e` (its error counters).

GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-...)
         Link 0: 26.562 GB/s
         Link 1: <inactive>
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct, field

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._gpu_names import canonical, looks_like_gpu
from gpudoctor.readers.documents._smi import MAX_GPUS, gpu, gpu_list, smi_facts
from gpudoctor.readers.documents._text import bare

SOURCE = "nvidia-smi nvlink"

_GPU = re.compile(r"GPU (\d{1,2}): ([^(]{2,80}?)(?: \(UUID: (GPU-[0-9a-fA-F-]{8,40})\))?")
_LINK = re.compile(r"Link (\d{1,2}): (.{1,60})")
_SPEED = re.compile(r"\d{1,3}(?:\.\d{1,4})? GB/s")
_ERRORS = re.compile(r"(?:Replay|Recovery|CRC(?: FLIT)?|CRC Data|ECC|Symbol|Malformed packet) Errors?: (\d{1,15})")
_ALL_DOWN = "all links are inActive"


class _Links(Struct):
    name: str = ""
    uuid: str = ""
    up: set[int] = field(default_factory=set)
    down: set[int] = field(default_factory=set)
    crc: int | None = None


def _begins(line: str) -> bool:
    text = bare(line)
    match = _GPU.fullmatch(text)
    return (match is not None and looks_like_gpu(match.group(2))) or _is_link(text) or _ALL_DOWN in text


def _is_link(text: str) -> bool:
    match = _LINK.fullmatch(text)
    if match is None:
        return False
    rest = match.group(2)
    return rest == "<inactive>" or bool(_SPEED.fullmatch(rest) or _ERRORS.fullmatch(rest))


def _belongs(line: str, _taken: int) -> bool:
    return not line.strip() or _begins(line)


def _read(lines: Sequence[str]) -> Facts:
    found: dict[int, _Links] = {}
    at = 0
    for line in lines:
        text = bare(line)
        match = _GPU.fullmatch(text)
        if match is not None:
            at = int(match.group(1))
            one = found.setdefault(at, _Links())
            one.name, one.uuid = match.group(2), match.group(3) or ""
        elif at < MAX_GPUS:
            _link(found.setdefault(at, _Links()), text)
    told = {index: links for index, links in found.items() if links.up or links.down or links.crc is not None}
    if not told:
        return Facts()
    gpus = gpu_list(gpu(index, _values(links), SOURCE) for index, links in sorted(found.items()))
    return smi_facts(SOURCE, gpus=gpus, partial=not any(links.name for links in told.values()))


def _link(links: _Links, text: str) -> None:
    match = _LINK.fullmatch(text)
    if match is None:
        if _ALL_DOWN in text:
            links.down.add(0)
        return
    number, rest = int(match.group(1)), match.group(2)
    if rest == "<inactive>":
        links.down.add(number)
    elif _SPEED.fullmatch(rest):
        links.up.add(number)
    elif rest.startswith("CRC") and (errors := _ERRORS.fullmatch(rest)):
        links.crc = (links.crc or 0) + int(errors.group(1))


def _values(links: _Links) -> dict[str, object]:
    states = links.up | links.down
    return {
        "name": canonical(links.name) if links.name else None,
        "uuid": links.uuid or None,
        "nvlinks_total": len(states) if states else None,
        "nvlinks_active": len(links.up) if states else None,
        "nvlink_crc_errors": links.crc,
    }


DOCUMENT = Document(
    name=SOURCE,
    literals=(*(f"Link {number}: " for number in range(36)), *(f"GPU {number}: " for number in range(16)), _ALL_DOWN),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=1200,
)
