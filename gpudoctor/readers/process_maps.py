"""/proc/PID/maps → the files that a process has mapped."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.lazy_pattern import lazy_pattern

MAX_LINES = 100_000
_DELETED = " (deleted)"
_ESCAPED = lazy_pattern(r"\\([0-7]{3})")
_PATH_FIELD = 5


class MappedFile(Struct, frozen=True):
    """A file in a process's memory. `deleted`: it has been replaced or removed since it was mapped."""

    path: str
    deleted: bool


def mapped_files(text: str) -> tuple[MappedFile, ...]:
    r"""Every mapped file once, in address order; anonymous memory and pseudo entries such as [heap] are left out.

    Lines that are no maps lines are passed over. The kernel writes a newline in a path as \012.

    >>> mapped_files("7f00-7f01 r-xp 00000000 08:01 42    /opt/libnccl.so.2 (deleted)")
    (MappedFile(path='/opt/libnccl.so.2', deleted=True),)
    """
    found: dict[MappedFile, None] = {}
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        fields = line.split(None, _PATH_FIELD)
        if len(fields) <= _PATH_FIELD or not fields[_PATH_FIELD].startswith("/"):
            continue
        path = fields[_PATH_FIELD]
        deleted = path.endswith(_DELETED)
        path = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), path.removesuffix(_DELETED))
        found[MappedFile(path, deleted)] = None
    return tuple(found)
