"""`ray status`: nodes, GPUs and what waits for them.

Active:
 1 node_4f1c
Usage:
 0.0/4.0 GPU
Demands:
 {'GPU': 1.0} * 8 (PACK): 1+ pending placement groups
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Ray
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare, plain

SOURCE = "ray status"

_GPUS = re.compile(r"(\d{1,6}(?:\.\d{1,4})?)/(\d{1,6}(?:\.\d{1,4})?) GPU(?: .{0,120})?")
_NODE = re.compile(r"(\d{1,5}) (?:node_[0-9a-f]{6,64}|ray\.\S{1,40}|[\w.-]{1,60})")
_DEMAND = re.compile(r"\{[^{}]{2,200}\}.{0,120}(?:pending|request).{0,60}")
_SECTIONS = ("Active:", "Pending:", "Recent failures:", "Idle:")
_LAST = ("Usage:", "Demands:", "Total Usage:", "Total Demands:", "Resources", "Node status", "From request_resources:")
_MAX_NODES = 10_000
_MAX_DEMANDS = 32


def _begins(line: str) -> bool:
    text = bare(line)
    return "Autoscaler status:" in text or text in ("Node status", "Active:")


def _belongs(line: str, _taken: int) -> bool:
    text = bare(line)
    if not text or line[:1] == " " or text.startswith(("-----", "=====", "{", *_SECTIONS, *_LAST)):
        return True
    return _GPUS.fullmatch(text) is not None or _NODE.fullmatch(text) is not None or " CPU" in text or text[:1] == "("


def _read(lines: Sequence[str]) -> Facts:
    nodes, section = 0, ""
    used = total = None
    demands: list[str] = []
    for line in lines:
        text = bare(line)
        if text.startswith((*_SECTIONS, *_LAST)):
            section = text
        elif (match := _GPUS.fullmatch(text)) and total is None:
            used, total = round(float(match.group(1))), round(float(match.group(2)))
        elif section == "Active:" and (node := _NODE.fullmatch(text)):
            nodes = min(_MAX_NODES, nodes + int(node.group(1)))
        elif _DEMAND.fullmatch(text) and len(demands) < _MAX_DEMANDS:
            demands.append(plain(text))
    return Facts(
        ray=Ray(
            nodes=known(nodes, SOURCE) if nodes else NOT_PROVIDED,
            gpus_total=known(total, SOURCE) if total is not None else NOT_PROVIDED,
            gpus_used=known(used, SOURCE) if used is not None else NOT_PROVIDED,
            demands=known(tuple(demands), SOURCE) if demands else NOT_PROVIDED,
        )
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("Autoscaler status:", "Node status", "Active:"),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=2000,
)
