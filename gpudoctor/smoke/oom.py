"""How often the kernel has killed for want of memory."""

from __future__ import annotations

from gpudoctor.host import Host, HostError


def oom_kills(host: Host) -> int:
    """Kills so far, in our cgroup where it counts them, else on the whole machine; 0 where nothing says."""
    for path in _paths(host):
        try:
            count = _count(host.read_text(path))
        except HostError:
            continue
        if count is not None:
            return count
    return 0


def _paths(host: Host) -> list[str]:
    """Of version 2, version 1 and the whole machine."""
    try:
        lines = host.read_text("/proc/self/cgroup").splitlines()
    except HostError:
        lines = []
    paths = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        group = "" if group == "/" else group
        if not controllers:
            paths.append(f"/sys/fs/cgroup{group}/memory.events")
        elif "memory" in controllers.split(","):
            paths.append(f"/sys/fs/cgroup/memory{group}/memory.oom_control")
    return [*paths, "/proc/vmstat"]


def _count(text: str) -> int | None:
    """The number behind `oom_kill`; an oom_control of an old kernel has none."""
    for line in text.splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill" and count.strip().isdecimal():
            return int(count)
    return None
