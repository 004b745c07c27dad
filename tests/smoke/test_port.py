"""The port that ranks meet at."""

from __future__ import annotations

import socket
from pathlib import Path

from gpudoctor.smoke.port import LOCALHOST, free_port


def test_it_is_none_that_the_kernel_gives_to_whoever_connects() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = [free_port() for _ in range(20)]
    assert all(1024 < port < lowest for port in ports)
    assert len(set(ports)) > 1


def test_it_can_be_listened_on() -> None:
    with socket.create_server((LOCALHOST, free_port())) as server:
        assert server.getsockname()[1] > 0
