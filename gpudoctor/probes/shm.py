"""The shared memory mount /dev/shm, and what dead NCCL runs left in it."""

from __future__ import annotations

import re

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Shm
from gpudoctor.probes._processes import in_first_namespace, process_ids

_FOLDER = "/dev/shm"  # noqa: S108 - the mount itself is what we examine
_SEGMENT = re.compile(r"nccl-[A-Za-z0-9]{6,}")
_MAPPED = re.compile(rb"/dev/shm/(nccl-[A-Za-z0-9]{6,})(?![A-Za-z0-9]| \(deleted\))")
_MAX_SEGMENTS = 4096
_MAX_MAPS_BYTES = 4 << 20


def collect(host: Host, request: Request) -> Shm:  # noqa: ARG001 - every probe is called alike
    """Size and free space of the mount; segments named nccl-* that no process maps."""
    try:
        usage = host.disk_usage(_FOLDER)
        names = host.list_dir(_FOLDER)
    except HostError as error:
        return Shm(
            size_bytes=error.fact(_FOLDER),
            free_bytes=error.fact(_FOLDER),
            writable=error.fact(_FOLDER),
            stale_nccl_files=error.fact(_FOLDER),
            stale_nccl_bytes=error.fact(_FOLDER),
        )
    count, size = _stale(host, [name for name in names if _SEGMENT.fullmatch(name)][:_MAX_SEGMENTS])
    return Shm(
        size_bytes=known(usage.total_bytes, _FOLDER),
        free_bytes=known(usage.free_bytes, _FOLDER),
        writable=known(host.may_open(_FOLDER), _FOLDER),
        stale_nccl_files=count,
        stale_nccl_bytes=size,
    )


def _stale(host: Host, segments: list[str]) -> tuple[Fact[int], Fact[int]]:
    """Another user's segments are mapped by processes that we may not look into, so only openable ones are judged."""
    if not segments:
        return known(0, _FOLDER), known(0, _FOLDER)
    ours = [name for name in segments if host.may_open(f"{_FOLDER}/{name}")]
    if not ours:
        missing: Fact[int] = absent("no_permission", f"{len(segments)} segments belong to other users", _FOLDER)
        return missing, missing
    if in_first_namespace(host, "ipc") and not in_first_namespace(host, "pid"):
        shared: Fact[int] = absent("not_supported", "the mount is shared with processes that cannot be seen", _FOLDER)
        return shared, shared
    mapped = _mapped(host)
    stale = [name for name in ours if name not in mapped]
    source = f"{_FOLDER}, /proc/*/maps"
    return known(len(stale), source), known(sum(_size(host, name) for name in stale), source)


def _mapped(host: Host) -> frozenset[str]:
    """Segments that are in use by a process that we can see."""
    found: set[str] = set()
    for pid in process_ids(host):
        try:
            maps = host.read(f"/proc/{pid}/maps", _MAX_MAPS_BYTES)
        except HostError:
            continue
        found.update(match.decode() for match in _MAPPED.findall(maps))
    return frozenset(found)


def _size(host: Host, name: str) -> int:
    try:
        return host.file_size(f"{_FOLDER}/{name}")
    except HostError:
        return 0


PROBE = Probe(name="shm", section=Shm, collect=collect)
