"""Host memory and the control group's limit: /proc/meminfo, memory.max and its siblings."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.host.access import Host
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import read_fact, text_or
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import HostMemory
from gpudoctor.probes._cgroups import group_fact, own_groups, smallest_limit
from gpudoctor.readers.cgroup import counter
from gpudoctor.readers.meminfo import meminfo_bytes
from gpudoctor.readers.numbers import integer

_MEMINFO = "/proc/meminfo"


class _Names(Struct, frozen=True):
    """What the files of one version of control groups are called."""

    limit: str
    used: str
    events: str
    reclaimable: str  # a line of memory.stat: page cache that the kernel takes back before it kills anything


_NAMES = {
    1: _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control", "total_inactive_file"),
    2: _Names("memory.max", "memory.current", "memory.events", "inactive_file"),
}


def collect(host: Host, request: Request) -> HostMemory:  # noqa: ARG001 - every probe is called alike
    """Memory of the machine, and of the group whose limit is met first."""
    rows = read_fact(host, _MEMINFO, meminfo_bytes)
    limit, used, kills = _group(host)
    return HostMemory(
        total_bytes=_row(rows, "MemTotal"),
        available_bytes=_row(rows, "MemAvailable"),
        swap_total_bytes=_row(rows, "SwapTotal"),
        swap_free_bytes=_row(rows, "SwapFree"),
        limit_bytes=limit,
        limit_used_bytes=used,
        cgroup_oom_kills=kills,
    )


def _row(rows: Fact[dict[str, int]], name: str) -> Fact[int]:
    read = rows.or_none()
    if read is None:
        return absent_like(rows)
    return known(read[name], _MEMINFO) if name in read else absent("parse_error", f"no {name}", _MEMINFO)


def _group(host: Host) -> tuple[Fact[int], Fact[int], Fact[int]]:
    """Limit, memory in use below it, and processes killed for it; without a limit the kills of the own group."""
    groups = own_groups(host, "memory")
    if groups is None:
        missing: Fact[int] = absent("not_applicable", "no control group for memory", "cgroup")
        return missing, missing, missing
    names = _NAMES[groups.version]
    smallest = smallest_limit(host, groups.folders, names.limit)
    if smallest is None:
        unlimited: Fact[int] = absent("not_applicable", "no control group limits memory", "cgroup")
        return unlimited, unlimited, _kills(host, groups.folders[0], names)
    limit, folder = smallest
    return known(limit, f"cgroup {names.limit}"), _used(host, folder, names), _kills(host, folder, names)


def _used(host: Host, folder: str, names: _Names) -> Fact[int]:
    """Without page cache that would be given back: reading a checkpoint fills a group with that."""
    used = group_fact(host, folder, names.used, integer)
    value = used.or_none()
    if value is None:
        return used
    try:
        cache = counter(text_or(host, f"{folder}/memory.stat"), names.reclaimable)
    except ValueError:
        return used
    return known(max(0, value - cache), used.source)


def _kills(host: Host, folder: str, names: _Names) -> Fact[int]:
    return group_fact(host, folder, names.events, lambda text: counter(text, "oom_kill"))


PROBE = Probe(name="memory", section=HostMemory, collect=collect)
