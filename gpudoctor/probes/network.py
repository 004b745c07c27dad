"""Network interfaces, and what NCCL and Gloo would choose: /sys/class/net and /proc/net. Addresses stay inside."""

from __future__ import annotations

import re

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import names_in, read_fact, text_or
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Interface, Network
from gpudoctor.probes._interface_choice import Candidate, gloo_choice, gloo_unmatched, nccl_choice, nccl_unmatched
from gpudoctor.probes._own_addresses import OwnAddresses, hostname_resolves_to, own_addresses
from gpudoctor.readers.interface_names import kind_by_name
from gpudoctor.readers.net_tables import default_interface6, listens
from gpudoctor.readers.numbers import integer

_NET = "/sys/class/net"
_NAME = re.compile(r"[A-Za-z0-9_.@:+-]{1,15}")
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_TYPE_INFINIBAND, _TYPE_LOOPBACK, _TYPE_NONE = 32, 772, 65534  # ARPHRD_*, include/uapi/linux/if_arp.h
_MAX_INTERFACES = 256
_MAX_REPORTED = 64


def collect(host: Host, request: Request) -> Network:
    """Interfaces that have an address, and the choices that follow from the workload's environment."""
    environ = request.environment(host)
    own = own_addresses(host)
    names = [name for name in _interface_names(host) if _NAME.fullmatch(name)][:_MAX_INTERFACES]
    candidates = [_candidate(host, name, own, place) for place, name in enumerate(names)]
    candidates = sorted((c for c in candidates if c.ipv4 or c.ipv6), key=lambda candidate: candidate.index)
    shown = [c for c in candidates if c.ipv4 or own.has_ipv6(c.name, ("global",))][:_MAX_REPORTED]
    resolved = hostname_resolves_to(host, own)
    return Network(
        interfaces=known(tuple(_interface(host, candidate, own) for candidate in shown), _NET),
        default_route=_default_route(host, own),
        nccl_choice=nccl_choice(candidates, environ),
        gloo_choice=gloo_choice(candidates, environ, resolved),
        hostname_resolves_to=resolved,
        nccl_ifname_unmatched=nccl_unmatched(candidates, environ),
        gloo_ifname_unmatched=gloo_unmatched(candidates, environ),
        master_port_in_use=_port_in_use(host, _master_port(request, environ)),
    )


def _interface_names(host: Host) -> tuple[str, ...]:
    """From /sys, which some sandboxes lack, or from the table of counters."""
    listed = names_in(host, _NET)
    if listed:
        return listed
    lines = text_or(host, "/proc/net/dev").splitlines()[2:]
    return tuple(line.partition(":")[0].strip() for line in lines)


def _candidate(host: Host, name: str, own: OwnAddresses, place: int) -> Candidate:
    index = read_fact(host, f"{_NET}/{name}/ifindex", integer).or_none()
    loopback = name == "lo" or bool(_flags(host, name) & _IFF_LOOPBACK)
    return Candidate(
        name=name,
        index=place if index is None else index,
        loopback=loopback,
        ipv4=own.has_ipv4(name, loopback=loopback),
        ipv6=own.has_ipv6(name, ("global", "link", "other")),
    )


def _interface(host: Host, candidate: Candidate, own: OwnAddresses) -> Interface:
    base = f"{_NET}/{candidate.name}"
    return Interface(
        name=candidate.name,
        kind=known(_kind(host, candidate.name, loopback=candidate.loopback), _NET),
        up=_up(host, candidate.name),
        ipv4=known(candidate.ipv4, "/proc/net"),
        ipv6=known(own.has_ipv6(candidate.name, ("global",)), "/proc/net"),
        speed_mbps=_speed(host, base),
        mtu=read_fact(host, f"{base}/mtu", integer, _NET),
    )


def _kind(host: Host, name: str, *, loopback: bool) -> str:
    """By the kernel's type and what the interface is made of; its name decides only where those do not."""
    base = f"{_NET}/{name}"
    kind = read_fact(host, f"{base}/type", integer).or_none()
    if loopback or kind == _TYPE_LOOPBACK:
        return "loopback"
    if kind == _TYPE_INFINIBAND:
        return "infiniband"
    for file, found in (("bonding", "bond"), ("wireless", "wireless"), ("phy80211", "wireless"), ("tun_flags", "vpn")):
        if host.exists(f"{base}/{file}"):
            return "virtual" if file == "tun_flags" and kind_by_name(name) == "virtual" else found
    if host.exists(f"{base}/device"):
        return "ethernet"
    named = kind_by_name(name) or "virtual"
    return "vpn" if kind == _TYPE_NONE and named == "virtual" else named


def _flags(host: Host, name: str) -> int:
    return read_fact(host, f"{_NET}/{name}/flags", lambda text: integer(text, 16)).or_none() or 0


def _up(host: Host, name: str) -> Fact[bool]:
    """Administratively up and not without a carrier; loopback and tunnels say unknown."""
    state = read_fact(host, f"{_NET}/{name}/operstate", str, _NET)
    value = state.or_none()
    if value is None:
        return absent(state.absent or "failed", state.detail, _NET)
    return known(bool(_flags(host, name) & _IFF_UP) and value in {"up", "unknown"}, _NET)


def _speed(host: Host, base: str) -> Fact[int]:
    """Virtual interfaces and those without a carrier refuse, or say -1."""
    speed = read_fact(host, f"{base}/speed", integer, _NET)
    value = speed.or_none()
    if speed.absent == "failed" or (value is not None and value <= 0):
        return absent("not_supported", "the interface does not tell its speed", _NET)
    return speed


def _default_route(host: Host, own: OwnAddresses) -> Fact[str]:
    defaults = [route for route in own.table if route.mask == 0 and route.network == 0]
    if defaults:
        return known(min(defaults, key=lambda route: route.metric).interface, "/proc/net/route")
    interface = default_interface6(text_or(host, "/proc/net/ipv6_route"))
    if interface:
        return known(interface, "/proc/net/ipv6_route")
    return absent("not_applicable", "no default route", "/proc/net/route")


def _master_port(request: Request, environ: dict[str, str]) -> int | None:
    port = request.workload.master_port.or_none()
    if port is not None:
        return port
    try:
        return integer(environ.get("MASTER_PORT", ""))
    except ValueError:
        return None


def _port_in_use(host: Host, port: int | None) -> Fact[bool]:
    """Listening sockets come first in the tables, so that their beginning is enough."""
    if port is None:
        return absent("not_provided", "no master port was given", "MASTER_PORT")
    if not 0 < port < 1 << 16:
        return absent("not_applicable", "no port has this number", "MASTER_PORT")
    try:
        text = host.read_text("/proc/net/tcp")
    except HostError as error:
        return error.fact("/proc/net/tcp")
    return known(listens(text, port) or listens(text_or(host, "/proc/net/tcp6"), port), "/proc/net/tcp")


# Resolving the host name can take its whole deadline: other probes must not wait for it.
PROBE = Probe(name="network", section=Network, collect=collect, isolated=True, last_when_quick=True)
