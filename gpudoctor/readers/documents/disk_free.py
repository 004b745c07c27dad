"""`df -h /dev/shm`, or the row of it in a longer list: with and without units.

Filesystem      Size  Used Avail Use% Mounted on
shm              64M     0   64M   0% /dev/shm
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Shm
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare, size_bytes

SOURCE = "df"

_COLUMN = r"([\d.]{1,15}[KMGTi]{0,2})[ \t]{1,30}"
_ROW = re.compile(
    rf"[\w./:-]{{2,40}}[ \t]{{1,30}}(?:tmpfs[ \t]{{1,30}})?{_COLUMN * 3}(\d{{1,3}}%|-)[ \t]{{1,30}}/dev/shm"
)


def _begins(line: str) -> bool:
    return _ROW.fullmatch(bare(line)) is not None


def _read(lines: Sequence[str]) -> Facts:
    match = next((found for line in lines if (found := _ROW.fullmatch(bare(line)))), None)
    if match is None:
        return Facts()
    size, free = (size_bytes(match.group(place), unit="k") for place in (1, 3))
    return Facts(
        shm=Shm(
            size_bytes=known(size, SOURCE) if size is not None else NOT_PROVIDED,
            free_bytes=known(free, SOURCE) if free is not None else NOT_PROVIDED,
        )
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("/dev/shm",),  # noqa: S108 - what a line holds
    begins=_begins,
    read=_read,
    max_lines=8,
    scattered=True,
)
