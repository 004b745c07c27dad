"""`systemctl status nvidia-fabricmanager`: whether the service that joins the GPUs over NVSwitch runs.

\u25cf nvidia-fabricmanager.service - NVIDIA fabric manager service
     Active: failed (Result: exit-code) since Mon 2024-11-04 11:07:30 UTC; 2min ago
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Driver, Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare

SOURCE = "systemctl status nvidia-fabricmanager"

_UNIT = "nvidia-fabricmanager.service"
_HEAD = re.compile(rf"(?:[^\w\s]{{1,3}} )?{re.escape(_UNIT)}(?: - .{{0,80}})?")
_ACTIVE = re.compile(r"Active: (active|inactive|failed|activating|deactivating)\b.{0,200}")
_NAME = re.escape(_UNIT)
_MISSING = re.compile(rf"Unit {_NAME} could not be found\.?|Failed to .{{3,20}} {_NAME}: Unit .{{0,60}} not found\.?")
_VERSION = re.compile(r"Fabric Manager version:? (?:is )?(\d{3}\.\d{1,4}(?:\.\d{1,4})?)", re.IGNORECASE)


def _begins(line: str) -> bool:
    text = bare(line)
    return _HEAD.fullmatch(text) is not None or _MISSING.fullmatch(text) is not None


def _belongs(line: str, taken: int) -> bool:
    return taken < 40 and (not line.strip() or line[:1] in " \t" or _UNIT.partition(".")[0] in line)


def _read(lines: Sequence[str]) -> Facts:
    text = [bare(line) for line in lines]
    version = next((match.group(1) for line in text if (match := _VERSION.search(line))), "")
    state = next((match.group(1) for line in text if (match := _ACTIVE.fullmatch(line))), "")
    if any(_MISSING.fullmatch(line) for line in text):
        running = "not_installed"
    elif state:
        running = "running" if state == "active" else "not_running"
    else:
        running = ""
    return Facts(
        driver=Driver(
            fabric_manager=known(running, SOURCE) if running else NOT_PROVIDED,
            fabric_manager_version=known(version, SOURCE) if version else NOT_PROVIDED,
        )
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=(_UNIT,),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=60,
)
