"""Calls between hosts, over real sockets of the loopback interface."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gpudoctor.smoke._target.gpudoctor_worker import dialling
else:
    sys.path.insert(0, str(Path(__file__).parents[2] / "gpudoctor" / "smoke" / "_target"))
    from gpudoctor_worker import dialling

MASTER = ("127.0.0.1", 29500)


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_host_that_answers_is_reached_and_timed() -> None:
    echo = dialling.Echo("127.0.0.1", 2)
    assert dialling.connect("127.0.0.1", echo.port).kind == "ok"
    call = dialling.exchange("127.0.0.1", echo.port)
    assert call.kind == "ok"
    assert 0 < call.seconds < 1


def test_it_listens_to_as_many_as_are_to_call_and_no_longer() -> None:
    echo = dialling.Echo("127.0.0.1", 1)
    assert dialling.exchange("127.0.0.1", echo.port).kind == "ok"
    assert dialling.connect("127.0.0.1", echo.port).kind == "refused"


def test_a_port_where_nobody_listens_refuses() -> None:
    assert dialling.connect("127.0.0.1", unused_port()).kind == "refused"
    assert dialling.exchange("127.0.0.1", unused_port()).kind == "refused"


def test_a_name_that_does_not_resolve_is_told_from_a_host_that_does_not_answer() -> None:
    assert dialling.connect("no-such-host.invalid", 1).kind == "name"


def test_data_that_does_not_come_back_stalls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:

        def hang_up() -> None:
            line, _ = deaf.accept()
            line.close()

        threading.Thread(target=hang_up, daemon=True).start()
        assert dialling.exchange("127.0.0.1", deaf.getsockname()[1]).kind == "stalls"


@pytest.mark.parametrize(
    ("backend", "environ", "address"),
    [
        ("gloo", {"GLOO_SOCKET_IFNAME": "lo"}, "127.0.0.1"),
        ("gloo", {"GLOO_SOCKET_IFNAME": "nope0"}, ""),
        ("gloo", {"NCCL_SOCKET_IFNAME": "nope0"}, socket.gethostbyname(socket.gethostname())),
        ("nccl", {"NCCL_SOCKET_IFNAME": "=lo,eth0"}, "127.0.0.1"),
        ("nccl", {"NCCL_SOCKET_IFNAME": "^docker"}, ""),
        ("nccl", {}, "127.0.0.1"),
    ],
)
def test_our_address_is_the_one_that_the_backend_would_give(
    backend: str, environ: dict[str, str], address: str
) -> None:
    assert dialling.own_address(backend, MASTER, environ) == address
