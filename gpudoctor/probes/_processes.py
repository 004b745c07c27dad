"""Which daemons run, by the names in /proc."""

from __future__ import annotations

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.reading import names_in, text_or

# Inode of the first pid namespace, fixed in the kernel (PROC_PID_INIT_INO, include/linux/proc_ns.h); ipc likewise.
_FIRST = {"pid": "pid:[4026531836]", "ipc": "ipc:[4026531839]"}
_MAX_PROCESSES = 1 << 15


def process_ids(host: Host) -> list[str]:
    """The processes that can be seen."""
    return [name for name in names_in(host, "/proc") if name.isdecimal()][:_MAX_PROCESSES]


def running_names(host: Host) -> frozenset[str]:
    """The (15-character) names of all processes that can be seen."""
    return frozenset(text_or(host, f"/proc/{pid}/comm") for pid in process_ids(host))


def in_first_namespace(host: Host, kind: str) -> bool | None:
    """Whether this process is in the machine's own pid or ipc namespace; None where the kernel does not tell."""
    try:
        return host.read_link(f"/proc/self/ns/{kind}") == _FIRST[kind]
    except HostError:
        if kind == "pid" and host.exists("/proc/1"):
            return text_or(host, "/proc/2/comm") == "kthreadd"
        return None
