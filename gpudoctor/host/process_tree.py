"""A command and everything that it started: who is there, what they do, whether they read or write anything."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from msgspec import Struct

MAX_PROCESSES: Final = 4096
_MAX_BYTES: Final = 1 << 16


class Process(Struct, frozen=True):
    """One process. `moved_bytes` is what it has read and written so far, as far as the kernel counts it."""

    pid: int
    name: str
    state: str  # R S D Z ...
    moved_bytes: int = 0
    rank: int = -1  # from its environment


def descendants(root: int) -> tuple[Process, ...]:
    """`root` and all that it started, itself first."""
    parents: dict[int, list[int]] = {}
    seen: dict[int, tuple[str, str]] = {}
    with contextlib.suppress(OSError):
        for entry in os.listdir("/proc"):  # noqa: PTH208
            if not entry.isdigit():
                continue
            name, state, parent = _stat(int(entry))
            if state:
                seen[int(entry)] = (name, state)
                parents.setdefault(parent, []).append(int(entry))
    found: list[Process] = []
    waiting = [root]
    while waiting and len(found) < MAX_PROCESSES:
        pid = waiting.pop(0)
        if pid in seen:
            found.append(Process(pid, *seen[pid], _moved(pid), rank_of(pid)))
        waiting += sorted(parents.pop(pid, []))
    return tuple(found)


def rank_of(pid: int) -> int:
    """RANK, else LOCAL_RANK, of its environment; -1 where it has none or may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:  # noqa: PTH123
            variables = dict(item.split(b"=", 1) for item in stream.read(_MAX_BYTES).split(b"\0") if b"=" in item)
    except OSError:
        return -1
    value = variables.get(b"RANK", variables.get(b"LOCAL_RANK", b""))
    return int(value) if value.isdigit() and len(value) < 8 else -1


def is_python(pid: int) -> bool:
    """Whether its program is a Python interpreter."""
    try:
        return "python" in Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return False


def _stat(pid: int) -> tuple[str, str, int]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:  # noqa: PTH123
            head, _, rest = stream.read(_MAX_BYTES).rpartition(")")
        fields = rest.split()
        return head.partition("(")[2], fields[0], int(fields[1])
    except (OSError, IndexError, ValueError):
        return "", "", 0


def _moved(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/io", encoding="ascii", errors="replace") as stream:  # noqa: PTH123
            values = dict(line.split(": ") for line in stream.read(_MAX_BYTES).splitlines() if ": " in line)
        return sum(int(values.get(name, "0")) for name in ("rchar", "wchar", "read_bytes"))
    except (OSError, ValueError):
        return 0
