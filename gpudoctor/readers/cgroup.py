"""Where the limits of a process's control groups are, from /proc/PID/cgroup and /proc/PID/mountinfo."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.readers.numbers import integer

_MAX_DEPTH = 32
_MAX_LINES = 4096


class GroupFolders(Struct, frozen=True):
    """Folders from the process's own group up to the mount, and the version (1 or 2) of their file names."""

    version: int
    folders: tuple[str, ...]


class _Mount(Struct, frozen=True):
    kind: str  # cgroup or cgroup2
    root: str  # which group the mount shows as its top
    at: str
    controllers: frozenset[str]


def group_folders(cgroup: str, mountinfo: str, controller: str) -> GroupFolders | None:
    """The folders for one controller ("memory", "pids", "cpu"); None where no such hierarchy is mounted.

    Inside a container the path may be the machine's while the mount shows only the container's part of it, or be
    relative to a namespace: then what the mount shows is what there is.
    """
    mounts = _mounts(mountinfo)
    paths = _paths(cgroup)
    for controllers, path in paths:
        if controller in controllers:
            mount = next((m for m in mounts if m.kind == "cgroup" and controller in m.controllers), None)
            return GroupFolders(1, _up(mount, path)) if mount is not None else None
    unified = next((path for controllers, path in paths if not controllers), None)
    mount = next((m for m in mounts if m.kind == "cgroup2"), None)
    if unified is None or mount is None:
        return None
    return GroupFolders(2, _up(mount, unified))


def limit(text: str) -> int | None:
    """A limit file: None for "max" and for the huge number that version 1 means by it. Raises ValueError."""
    if text.strip() == "max":
        return None
    number = integer(text)
    return None if number >= 1 << 60 or number < 0 else number


def counter(text: str, name: str) -> int:
    """One line of memory.events, memory.oom_control or memory.stat. Raises ValueError."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return integer(value)
    raise ValueError(f"no {name}")


def _paths(cgroup: str) -> list[tuple[frozenset[str], str]]:
    found: list[tuple[frozenset[str], str]] = []
    for line in cgroup.splitlines()[:64]:
        parts = line.split(":", 2)
        if len(parts) == 3 and parts[2].startswith("/") and parts[2].isprintable():
            found.append((frozenset(filter(None, parts[1].split(","))), parts[2]))
    return found


def _mounts(mountinfo: str) -> list[_Mount]:
    """Lines of the form `36 25 0:31 ROOT AT options... - TYPE source superoptions`, see proc(5)."""
    found: list[_Mount] = []
    for line in mountinfo.splitlines()[:_MAX_LINES]:
        left, _, right = line.partition(" - ")
        before, after = left.split(" "), right.split(" ")
        if len(before) < 5 or not after[0].startswith("cgroup") or not before[4].startswith("/"):
            continue
        controllers = frozenset(after[2].split(",")) if len(after) > 2 else frozenset()
        found.append(_Mount(after[0], before[3], before[4], controllers))
    return found


def _up(mount: _Mount, path: str) -> tuple[str, ...]:
    inside = path
    if mount.root != "/":
        below = path == mount.root or path.startswith(mount.root + "/")
        inside = path[len(mount.root) :] if below else ""
    parts = [part for part in inside.split("/") if part]
    if ".." in parts:
        parts = []
    parts = parts[-_MAX_DEPTH:] if len(parts) <= _MAX_DEPTH else []
    return tuple("/".join((mount.at.rstrip("/"), *parts[:depth])) for depth in range(len(parts), -1, -1))
