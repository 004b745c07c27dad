"""TCP by hand: which of our addresses the others would be given, whether they answer, and why not."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import threading
import time
from typing import Mapping, NamedTuple

_CONNECT_S, _DATA_S, _LISTEN_S = 3.0, 6.0, 30.0
_BULK = 64 << 10  # bytes: more than any packet takes, so that a too small MTU on the way swallows some
_TRIPS = 4  # the shortest counts: a busy machine makes some of them long
_SIOCGIFADDR = 0x8915  # linux/sockios.h
_IFREQ_ADDRESS = slice(20, 24)
_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.EHOSTUNREACH: "no_route",
    errno.ENETUNREACH: "no_route",
    errno.ENETDOWN: "no_route",
}


class Call(NamedTuple):
    """How an attempt to reach an address ended. `kind`: ok, refused, no_route, no_answer, stalls, name."""

    kind: str
    seconds: float = 0.0  # of one round trip


def connect(host: str, port: int, timeout_s: float = _CONNECT_S) -> Call:
    """Only connect."""
    begun = time.monotonic()
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError as error:
        return Call(_reason(error))
    return Call("ok", time.monotonic() - begun)


def exchange(host: str, port: int) -> Call:
    """Connect to an `Echo`, time single bytes, then send more than fits into a packet and wait until it is back."""
    try:
        line = socket.create_connection((host, port), _CONNECT_S)
    except OSError as error:
        return Call(_reason(error))
    seconds = 0.0
    with line:
        try:
            line.settimeout(_DATA_S)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            seconds = min(_round_trip(line, 1) for _ in range(_TRIPS))
            _round_trip(line, _BULK)
        except OSError:
            return Call("stalls", seconds)
    return Call("ok", seconds)


def _round_trip(line: socket.socket, count: int) -> float:
    begun = time.monotonic()
    line.sendall(bytes(count))
    _receive(line, count)
    return time.monotonic() - begun


class Echo:
    """Listens on an address and sends back what it is sent: to as many callers as there are, for a while."""

    def __init__(self, address: str, callers: int) -> None:
        """Raises OSError where the address is not this host's."""
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(_LISTEN_S)
        self._callers = callers
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._listener:
            for left in reversed(range(self._callers)):
                try:
                    line, _ = self._listener.accept()
                except OSError:  # nobody has called for a while
                    return
                if not left:
                    self._listener.close()  # before the last is answered: who has its answer finds nobody listening
                threading.Thread(target=_answer, args=(line,), daemon=True).start()


def _answer(line: socket.socket) -> None:
    with line:
        try:
            line.settimeout(_DATA_S)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for count in (*[1] * _TRIPS, _BULK):
                _receive(line, count)
                line.sendall(bytes(count))
        except OSError:
            pass  # the caller notices, and says so


def _receive(line: socket.socket, missing: int) -> None:
    while missing:
        data = line.recv(missing)
        if not data:
            raise ConnectionResetError
        missing -= len(data)


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "name"
    return _REASONS.get(error.errno or 0, "no_answer")


def own_address(backend: str, master: tuple[str, int], environ: Mapping[str, str]) -> str:
    """The IPv4 address that the backend would give to the others; "" where that is not to be told.

    An interface that is named counts. Else gloo takes what this host's name resolves to, and NCCL an interface that is
    up: then the one on the way to the master is tried here.
    """
    named = environ.get("GLOO_SOCKET_IFNAME" if backend == "gloo" else "NCCL_SOCKET_IFNAME", "")
    try:
        if named:
            return _of_interface(named)
        if backend == "gloo":
            return socket.gethostbyname(socket.gethostname())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(master)  # sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _of_interface(named: str) -> str:
    """The address of the first interface of a list; NCCL's exclusions (^) leave it open."""
    if named.startswith("^"):
        return ""
    prefixes = tuple(name.strip().lstrip("=") for name in named.split(",") if name.strip())
    names = [name for _, name in socket.if_nameindex() if name.startswith(prefixes)]
    if not names:
        return ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", names[0].encode()[:15]))
    return socket.inet_ntoa(answer[_IFREQ_ADDRESS])
