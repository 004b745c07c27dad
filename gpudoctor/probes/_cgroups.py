"""The control groups of this process."""

from __future__ import annotations

from collections.abc import Callable

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.reading import parse_fact, text_or
from gpudoctor.model.fact import Fact, absent
from gpudoctor.readers.cgroup import GroupFolders, group_folders, limit


def own_groups(host: Host, controller: str) -> GroupFolders | None:
    """Folders of a controller, own group first; None where there is no such hierarchy."""
    return group_folders(text_or(host, "/proc/self/cgroup"), text_or(host, "/proc/self/mountinfo"), controller)


def smallest_limit(host: Host, folders: tuple[str, ...], name: str) -> tuple[int, str] | None:
    """The smallest value of a limit file on the way up, and the folder that has it; None where nothing limits."""
    found: list[tuple[int, str]] = []
    for folder in folders:
        try:
            value = limit(host.read_text(f"{folder}/{name}"))
        except (HostError, ValueError):
            continue
        if value is not None:
            found.append((value, folder))
    return min(found) if found else None


def group_fact(host: Host, folder: str, name: str, parse: Callable[[str], int]) -> Fact[int]:
    """A file of a group. The group's own name is left out: it may tell who runs what."""
    source = f"cgroup {name}"
    try:
        text = host.read_text(f"{folder}/{name}")
    except HostError as error:
        return absent(error.reason, f"{name} of the control group", source)
    return parse_fact(text, parse, source)
