"""Addresses, routes and listening ports from /proc/net. Addresses are numbers here and leave nowhere."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.readers.numbers import integer

_MAX_LINES = 65536
_LISTEN = "0A"
_UP = 0x1
_ANY_V6 = "0" * 32
_GLOBAL_SCOPE, _LINK_SCOPE, _HOST_SCOPE = 0x00, 0x20, 0x10


class Route(Struct, frozen=True):
    """A row of /proc/net/route; addresses in host byte order."""

    interface: str
    network: int
    mask: int
    gateway: int
    metric: int

    def covers(self, address: int) -> bool:
        """Whether this route leads to `address`."""
        return address & self.mask == self.network & self.mask


class Address6(Struct, frozen=True):
    """A row of /proc/net/if_inet6."""

    interface: str
    address: int
    scope: str  # global | link | host | other


def address4(text: str) -> int | None:
    """An address of four decimal numbers; None for anything else, as inet_pton says."""
    parts = text.split(".")
    if len(parts) != 4 or not all(map(_is_byte, parts)):
        return None
    return int.from_bytes(bytes(map(int, parts)), "big")


def _is_byte(text: str) -> bool:
    plain = text.isascii() and text.isdecimal() and len(text) <= 3
    return plain and str(int(text)) == text and int(text) < 256


def is_loopback4(address: int) -> bool:
    """127.0.0.0/8."""
    return address >> 24 == 127


def routes(text: str) -> tuple[Route, ...]:
    """The IPv4 routes that are up."""
    found: list[Route] = []
    for line in text.splitlines()[1:_MAX_LINES]:
        columns = line.split()
        if len(columns) < 8:
            continue
        try:
            network, gateway, mask = (_swapped(columns[index]) for index in (1, 2, 7))
            flags, metric = integer(columns[3], 16), integer(columns[6])
        except ValueError:
            continue
        if flags & _UP:
            found.append(Route(columns[0], network, mask, gateway, metric))
    return tuple(found)


def default_interface6(text: str) -> str:
    """The interface of the IPv6 default route with the smallest metric in /proc/net/ipv6_route, "" without one."""
    found: list[tuple[int, str]] = []
    for line in text.splitlines()[:_MAX_LINES]:
        columns = line.split()
        if len(columns) < 10 or columns[0] != _ANY_V6 or columns[1] != "00" or columns[9] == "lo":
            continue
        try:
            found.append((integer(columns[5], 16), columns[9]))
        except ValueError:
            continue
    return min(found)[1] if found else ""


def local_addresses4(text: str) -> frozenset[int]:
    """This machine's own addresses: leaves of /proc/net/fib_trie that are `/32 host LOCAL`."""
    found: set[int] = set()
    leaf: int | None = None
    for line in text.splitlines()[:_MAX_LINES]:
        words = line.split()
        if words[:1] == ["|--"] and len(words) == 2:
            leaf = address4(words[1])
        elif words[:3] == ["/32", "host", "LOCAL"] and leaf is not None:
            found.add(leaf)
    return frozenset(found)


def addresses6(text: str) -> tuple[Address6, ...]:
    """Every IPv6 address with its interface."""
    scopes = {_GLOBAL_SCOPE: "global", _LINK_SCOPE: "link", _HOST_SCOPE: "host"}
    found: list[Address6] = []
    for line in text.splitlines()[:_MAX_LINES]:
        columns = line.split()
        if len(columns) != 6 or len(columns[0]) != 32:
            continue
        try:
            address, scope = int(columns[0], 16), integer(columns[3], 16)
        except ValueError:
            continue
        found.append(Address6(columns[5], address, scopes.get(scope, "other")))
    return tuple(found)


def interface_of4(address: int, table: tuple[Route, ...]) -> str:
    """The interface that an own address belongs to: the most special route to it, one without a gateway first."""
    fitting = [route for route in table if route.covers(address)]
    if not fitting:
        return ""
    return min(fitting, key=lambda route: (-route.mask.bit_count(), route.gateway != 0, route.metric)).interface


def listens(text: str, port: int) -> bool:
    """Whether /proc/net/tcp or tcp6 has a listening socket on a port."""
    suffix = f":{port:04X}"
    for line in text.splitlines()[1:_MAX_LINES]:
        columns = line.split()
        if len(columns) > 3 and columns[3] == _LISTEN and columns[1].endswith(suffix):
            return True
    return False


def _swapped(word: str) -> int:
    """The kernel prints an address as the number that its bytes make on a little-endian CPU. Raises ValueError."""
    if len(word) != 8:
        raise ValueError("not an address")
    return int.from_bytes(bytes.fromhex(word), "little")
