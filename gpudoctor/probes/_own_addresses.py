"""Which interfaces have addresses, and what the host name resolves to. No address leaves this module."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.reading import text_or
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.readers.host_names import addresses_in_ahosts, addresses_in_hosts
from gpudoctor.readers.net_tables import (
    Address6,
    Route,
    address4,
    addresses6,
    interface_of4,
    is_loopback4,
    local_addresses4,
    routes,
)

_HOSTNAME = "/proc/sys/kernel/hostname"
_RESOLVE_TIMEOUT_S = 1.5
_SOURCE = "host name"


class OwnAddresses(Struct, frozen=True):
    """`own4` is None where the kernel does not list them; then an interface with a route counts as having one."""

    table: tuple[Route, ...]
    own4: frozenset[int] | None
    own6: tuple[Address6, ...]

    def has_ipv4(self, interface: str, *, loopback: bool) -> bool:
        """By a route of its own that covers one of our addresses, or by being the best way to one."""
        if loopback:
            return self.own4 is None or any(is_loopback4(address) for address in self.own4)
        if self.own4 is None:
            return any(route.interface == interface for route in self.table)
        local = [route for route in self.table if route.interface == interface and route.mask and not route.gateway]
        return any(
            any(route.covers(address) for route in local) or interface_of4(address, self.table) == interface
            for address in self.own4
            if not is_loopback4(address)
        )

    def has_ipv6(self, interface: str, scopes: tuple[str, ...]) -> bool:
        """Whether it has an IPv6 address of one of these scopes."""
        return any(entry.interface == interface and entry.scope in scopes for entry in self.own6)

    def interface_of(self, text: str) -> str | None:
        """`loopback`, the interface of an own address, or None for a foreign one and for what is no address."""
        if ":" not in text:
            address = address4(text)
            return None if address is None else self._interface_of4(address)
        import socket  # costs 2 ms, and most host names have an IPv4 address

        try:
            return self._interface_of6(int.from_bytes(socket.inet_pton(socket.AF_INET6, text.partition("%")[0]), "big"))
        except (OSError, ValueError):
            return None

    def _interface_of4(self, address: int) -> str | None:
        if is_loopback4(address):
            return "loopback"
        if self.own4 is None or address not in self.own4:
            return None
        return interface_of4(address, self.table) or None

    def _interface_of6(self, address: int) -> str | None:
        if address == 1:
            return "loopback"
        return next((entry.interface for entry in self.own6 if entry.address == address), None)


def own_addresses(host: Host) -> OwnAddresses:
    """From /proc/net."""
    try:
        own4: frozenset[int] | None = local_addresses4(host.read_text("/proc/net/fib_trie"))
    except HostError:
        own4 = None
    table = routes(text_or(host, "/proc/net/route"))
    return OwnAddresses(table, own4, addresses6(text_or(host, "/proc/net/if_inet6")))


def hostname_resolves_to(host: Host, own: OwnAddresses) -> Fact[str]:
    """One of nothing, loopback, foreign, or an interface: the first of the name's addresses that can be bound here.

    A look-up beyond /etc/hosts can hang, so a child does it.
    """
    try:
        name = host.read_text(_HOSTNAME)
    except HostError as error:
        return error.fact(_SOURCE)
    if not name or len(name) > 255 or name.startswith("-") or not name.isprintable() or " " in name:
        return absent("parse_error", "not a host name", _SOURCE)
    found = addresses_in_hosts(text_or(host, "/etc/hosts"), name)
    source = "/etc/hosts"
    if not found:
        source = "getent ahosts"
        try:
            found = addresses_in_ahosts(host.run(["getent", "ahosts", name], timeout_s=_RESOLVE_TIMEOUT_S).stdout)
        except HostError as error:
            # Its detail is ours and names no host.
            return error.fact(source)
    if not found:
        return known("nothing", source)
    where = next((place for address in found if (place := own.interface_of(address)) is not None), "foreign")
    return known(where, source)
