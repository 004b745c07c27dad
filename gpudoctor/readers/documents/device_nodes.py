"""`ls -l /dev/nvidia*`: nodes of the driver that exist here.

crw-rw-rw- 1 root root 195,   0 Nov  2 10:00 /dev/nvidia0
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Driver, Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare

SOURCE = "ls /dev/nvidia*"

_LONG = re.compile(r"c[rwx-]{9}[.+@]? .{5,60} (/dev/nvidia[\w-]{1,30})")
_SHORT = re.compile(r"(?:/dev/nvidia[\w-]{1,30}(?::)?(?:\s{1,20}|$)){1,80}")
_NODE = re.compile(r"/dev/nvidia[\w-]{1,30}")
_CARD = re.compile(r"/dev/nvidia\d{1,3}")
_MISSING = re.compile(r"ls: cannot access '?/dev/nvidia\*?'?: No such file or directory")
_MAX_NODES = 128


def _nodes(line: str) -> list[str]:
    text = bare(line)
    long = _LONG.fullmatch(text)
    if long is not None:
        return [long.group(1)]
    return _NODE.findall(text) if _SHORT.fullmatch(text) else []


def _begins(line: str) -> bool:
    return bool(_nodes(line)) or _MISSING.fullmatch(bare(line)) is not None


def _read(lines: Sequence[str]) -> Facts:
    nodes = list(dict.fromkeys(node for line in lines for node in _nodes(line)))[:_MAX_NODES]
    cards = sorted((node for node in nodes if _CARD.fullmatch(node)), key=lambda node: (len(node), node))
    control = [node for node in nodes if node not in cards]
    missing = any(_MISSING.fullmatch(bare(line)) for line in lines) and not nodes
    if not nodes and not missing:
        return Facts()
    return Facts(
        driver=Driver(
            device_nodes=known(tuple(cards), SOURCE),
            control_nodes=known(tuple(control), SOURCE) if control or missing else NOT_PROVIDED,
        )
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("/dev/nvidia",),
    begins=_begins,
    read=_read,
    max_lines=200,
    scattered=True,
)
