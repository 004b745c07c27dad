"""`ulimit -a`: limits of the shell.

max locked memory           (kbytes, -l) 64
open files                          (-n) 1024
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Facts, Limits
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare

SOURCE = "ulimit -a"

_LINE = re.compile(
    r"[-\w ]{3,40}?[ \t]{1,40}\((?:(kbytes|blocks|bytes|512 bytes|microseconds|seconds|pending|MB)?,? ?)-([a-zA-Z])\)"
    r"[ \t]{1,20}(unlimited|\d{1,18})"
)
_SHORT = re.compile(r"-([lnucvm]): [\w \t()-]{3,40}?[ \t]{1,40}(unlimited|\d{1,18})")  # of zsh and dash
_UNITS = {"kbytes": 1024, "blocks": 1024, "512 bytes": 512, "MB": 1 << 20}
_FIELDS = {"l": "memlock_bytes", "n": "nofile", "u": "nproc", "v": "address_space_bytes", "c": "core_bytes"}
_KBYTES = frozenset("lv")


def _limit(line: str) -> tuple[str, int] | None:
    text = bare(line)
    match = _LINE.fullmatch(text)
    if match is not None:
        unit, letter, value = match.groups()
    elif (match := _SHORT.fullmatch(text)) is not None:
        letter, value = match.groups()
        unit = "kbytes" if letter in _KBYTES else None
    else:
        return None
    return letter, -1 if value == "unlimited" else int(value) * _UNITS.get(unit or "", 1)


def _begins(line: str) -> bool:
    return _limit(line) is not None


def _read(lines: Sequence[str]) -> Facts:
    found = dict(limit for line in lines if (limit := _limit(line)) is not None)
    values: dict[str, Fact[int]] = {
        name: known(found[letter], SOURCE) if letter in found and found[letter] < 1 << 62 else NOT_PROVIDED
        for letter, name in _FIELDS.items()
    }
    return Facts(limits=Limits(**values))


DOCUMENT = Document(
    name=SOURCE,
    literals=("-l) ", "-n) ", "-u) ", "-v) ", "-c) ", "-l: locked", "-n: file", "-u: proc", "-v: addr", "-c: core"),
    begins=_begins,
    read=_read,
    max_lines=64,
    scattered=True,
)
