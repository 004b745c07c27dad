"""Resource limits: /proc/self/limits and the control group's pids.max."""

from __future__ import annotations

from gpudoctor.host.access import Host
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import read_fact
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import Limits
from gpudoctor.probes._cgroups import own_groups, smallest_limit
from gpudoctor.readers.limits import UNLIMITED, soft_limits

_FILE = "/proc/self/limits"


def collect(host: Host, request: Request) -> Limits:  # noqa: ARG001 - every probe is called alike
    """Soft limits, as a program started from here gets them."""
    found = read_fact(host, _FILE, soft_limits)
    return Limits(
        memlock_bytes=_limit(found, "Max locked memory"),
        nofile=_limit(found, "Max open files"),
        nproc=_limit(found, "Max processes"),
        address_space_bytes=_limit(found, "Max address space"),
        core_bytes=_limit(found, "Max core file size"),
        pids_max=_pids_max(host),
    )


def _limit(found: Fact[dict[str, int]], name: str) -> Fact[int]:
    read = found.or_none()
    if read is None:
        return absent_like(found)
    return known(read[name], _FILE) if name in read else absent("parse_error", f"no {name!r}", _FILE)


def _pids_max(host: Host) -> Fact[int]:
    """The smallest on the way up, -1 where no group limits the number of tasks."""
    groups = own_groups(host, "pids")
    if groups is None:
        return absent("not_applicable", "no control group for tasks", "cgroup")
    smallest = smallest_limit(host, groups.folders, "pids.max")
    return known(smallest[0] if smallest else UNLIMITED, "cgroup pids.max")


PROBE = Probe(name="limits", section=Limits, collect=collect)
