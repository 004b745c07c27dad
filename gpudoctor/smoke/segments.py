"""Segments of shared memory that NCCL left behind: its ranks take the names away themselves, unless they die first."""

from __future__ import annotations

import contextlib
import os
import re
import time

FOLDER = "/dev/shm"  # noqa: S108 - where NCCL makes them
_NAME = re.compile(r"nccl-[\w.-]{1,80}")
_MAPPED = re.compile(r"(/dev/shm/nccl-[\w.-]{1,80})$", re.MULTILINE)
_MAX_MAPS_BYTES = 8 << 20


def listed() -> frozenset[str]:
    """The paths of all segments that are there now."""
    try:
        return frozenset(f"{FOLDER}/{name}" for name in os.listdir(FOLDER) if _NAME.fullmatch(name))  # noqa: PTH208
    except OSError:
        return frozenset()


def mapped_by(pid: int | str) -> frozenset[str]:
    """The paths of the segments that a process has mapped."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return frozenset(_MAPPED.findall(file.read(_MAX_MAPS_BYTES)))
    except OSError:
        return frozenset()


def remove(paths: frozenset[str]) -> None:
    """Take names away; gone already is fine."""
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108


def sweep(before: frozenset[str], patience_s: float) -> None:
    """Remove what has come since `before`, is this user's, and is in nobody's use, now and `patience_s` later.

    Another job of this user may make a segment at this moment. It is mapped at once and has no name soon after, so
    one that is still there, and still nobody's, is what a dead rank has left.
    """
    orphans = _orphans(before)
    if orphans:
        time.sleep(patience_s)
        remove(orphans & _orphans(before))


def _orphans(before: frozenset[str]) -> frozenset[str]:
    ours = frozenset(path for path in listed() - before if _is_ours(path))
    if not ours:
        return ours
    pids = [entry for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208
    return ours.difference(*(mapped_by(pid) for pid in pids))


def _is_ours(path: str) -> bool:
    try:
        return os.lstat(path).st_uid == os.geteuid()
    except OSError:
        return False
