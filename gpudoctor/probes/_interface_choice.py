"""Which interface NCCL's bootstrap and Gloo would take.

NCCL: its own search in misc/socket.cc, which walks the addresses of getifaddrs (IPv4 of all interfaces by index, then
IPv6). Gloo: ProcessGroupGloo's default device, the interface of the address that the host name resolves to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gpudoctor.model.fact import Fact, absent, known

_NCCL = "NCCL_SOCKET_IFNAME"
_GLOO = "GLOO_SOCKET_IFNAME"
_FAMILIES = {"AF_INET": 4, "AF_INET6": 6}
# In turn. Newer versions leave out virbr as well; it comes last here, as it does there.
_NCCL_DEFAULTS = ("ib", "^docker,lo,virbr", "docker", "lo", "virbr")
_MAX_NAMES = 32
_MAX_NAME = 64


class Candidate(Struct, frozen=True):
    """An interface with an address. `ipv6` counts link-local addresses, not ::1."""

    name: str
    index: int
    loopback: bool
    ipv4: bool
    ipv6: bool


def nccl_choice(candidates: Sequence[Candidate], environ: Mapping[str, str]) -> Fact[str]:
    """The interface, or absent `failed` where the setting matches none: NCCL's initialisation fails then."""
    ordered = _nccl_order(candidates, environ)
    setting = environ.get(_NCCL, "")
    if len(setting) > 1:
        chosen = _first(ordered, setting)
        if chosen is None:
            return absent("failed", f"no interface with an address matches {_NCCL}={setting[:_MAX_NAME]}", _NCCL)
        return known(chosen.name, _NCCL)
    for default in _NCCL_DEFAULTS:
        chosen = _first(ordered, default)
        if chosen is not None:
            return known(chosen.name, "NCCL's default order")
    return absent("failed", "no interface has an address", "NCCL's default order")


def nccl_unmatched(candidates: Sequence[Candidate], environ: Mapping[str, str]) -> Fact[tuple[str, ...]]:
    """Entries that name nothing; a list of exclusions may name what is not there."""
    setting = environ.get(_NCCL, "")
    if len(setting) <= 1:
        return absent("not_applicable", "not set", _NCCL)
    if setting.startswith("^"):
        return known((), _NCCL)
    exact = setting.startswith("=")
    ordered = _nccl_order(candidates, environ)
    entries = _entries(setting.lstrip("="))
    return known(tuple(e for e in entries if not any(_matches(c.name, [e], exact=exact) for c in ordered)), _NCCL)


def gloo_choice(candidates: Sequence[Candidate], environ: Mapping[str, str], resolved: Fact[str]) -> Fact[str]:
    """`resolved` is what the host name resolves to; Gloo falls back to the loopback interface."""
    names = [candidate.name for candidate in candidates]
    setting = environ.get(_GLOO, "")
    if setting:
        entries = _entries(setting)
        if not entries or any(entry not in names for entry in entries):
            return absent("failed", f"no interface with an address for {_GLOO}={setting[:_MAX_NAME]}", _GLOO)
        return known(entries[0], _GLOO)
    where = resolved.or_none()
    if where is None:
        return absent(resolved.absent or "not_provided", resolved.detail, "host name")
    if where in names and where not in {"loopback", "nothing", "foreign"}:
        return known(where, "host name")
    loopback = next((candidate.name for candidate in candidates if candidate.loopback), None)
    if loopback is None:
        return absent("failed", "no loopback interface", "host name")
    return known(loopback, "host name")


def gloo_unmatched(candidates: Sequence[Candidate], environ: Mapping[str, str]) -> Fact[tuple[str, ...]]:
    """Entries that are not the whole name of an interface with an address."""
    setting = environ.get(_GLOO, "")
    if not setting:
        return absent("not_applicable", "not set", _GLOO)
    names = {candidate.name for candidate in candidates}
    return known(tuple(entry for entry in _entries(setting) if entry not in names), _GLOO)


def _nccl_order(candidates: Sequence[Candidate], environ: Mapping[str, str]) -> list[Candidate]:
    family = _FAMILIES.get(environ.get("NCCL_SOCKET_FAMILY", ""))
    by_index = sorted(candidates, key=lambda candidate: candidate.index)
    first = [candidate for candidate in by_index if candidate.ipv4 and family != 6]
    return first + [c for c in by_index if c.ipv6 and family != 4 and c not in first]


def _first(ordered: Sequence[Candidate], setting: str) -> Candidate | None:
    """`^` excludes, `=` asks for whole names, otherwise each entry is a prefix."""
    excludes = setting.startswith("^")
    setting = setting[1:] if excludes else setting
    exact = setting.startswith("=")
    entries = _entries(setting[1:] if exact else setting)
    return next((c for c in ordered if _matches(c.name, entries, exact=exact) != excludes), None)


def _matches(name: str, entries: Sequence[str], *, exact: bool) -> bool:
    """An empty list matches everything."""
    return not entries or any(name == entry if exact else name.startswith(entry) for entry in entries)


def _entries(setting: str) -> list[str]:
    """Names between commas; NCCL allows `name:port`, whose port means nothing for a socket."""
    return [entry.partition(":")[0][:_MAX_NAME] for entry in setting.split(",")[:_MAX_NAMES] if entry]
