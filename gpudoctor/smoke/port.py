"""A TCP port for the ranks to meet at, which is still free when torch has been imported, seconds later."""

from __future__ import annotations

import os
import socket

LOCALHOST = "127.0.0.1"
_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
_LOWEST = 10_000
_USUAL_EPHEMERAL = 32_768  # Documentation/networking/ip-sysctl.rst of Linux 6.12, read 2026-11
_ATTEMPTS = 50


def free_port() -> int:
    """One of the loopback interface that nobody listens on now.

    Not of those that the kernel gives to whoever connects somewhere: another run's ranks would take it meanwhile.
    """
    ports = _ephemeral_from() - _LOWEST
    for _ in range(_ATTEMPTS if ports > 0 else 0):
        port = _LOWEST + int.from_bytes(os.urandom(4), "big") % ports
        if _is_free(port):
            return port
    with socket.socket() as one:
        one.bind((LOCALHOST, 0))
        given: int = one.getsockname()[1]
        return given


def _ephemeral_from() -> int:
    try:
        with open(_RANGE, encoding="ascii") as file:  # noqa: PTH123
            return int(file.read(64).split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind((LOCALHOST, port))
        except OSError:
            return False
        return True
