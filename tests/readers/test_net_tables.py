"""Tables of /proc/net."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.net_tables import (
    Route,
    address4,
    addresses6,
    default_interface6,
    interface_of4,
    listens,
    local_addresses4,
    routes,
)

HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
ROUTES = (
    HEADER
    + "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    + "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
    + "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    + "eth9\t0000010A\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    + "broken\tzz\n"
)
TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.0.0/24 2 0 2
        |-- 10.0.0.7
           /32 host LOCAL
        |-- 10.0.0.255
           /32 link BROADCAST
Local:
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 172.17.0.1
           /32 host LOCAL
        |-- 999.1.1.1
           /32 host LOCAL
"""
INET6 = """00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
fd000000000000000000000000000002 04 40 00 82     eth0
garbage 04 40 00 82     eth0
"""


def ip(text: str) -> int:
    return int.from_bytes(bytes(int(part) for part in text.split(".")), "big")


def test_routes_that_are_up_in_host_byte_order() -> None:
    assert routes(ROUTES) == (
        Route("eth0", 0, 0, ip("10.0.0.1"), 100),
        Route("eth0", ip("10.0.0.0"), ip("255.255.255.0"), 0, 100),
        Route("docker0", ip("172.17.0.0"), ip("255.255.0.0"), 0, 0),
    )


def test_own_addresses_are_the_local_leaves() -> None:
    assert local_addresses4(TRIE) == {ip("10.0.0.7"), ip("127.0.0.1"), ip("172.17.0.1")}


@pytest.mark.parametrize(
    ("address", "interface"), [("10.0.0.7", "eth0"), ("172.17.0.1", "docker0"), ("8.8.8.8", "eth0")]
)
def test_the_most_special_route_names_the_interface(address: str, interface: str) -> None:
    assert interface_of4(ip(address), routes(ROUTES)) == interface


def test_without_a_route_there_is_no_interface() -> None:
    assert interface_of4(ip("10.0.0.7"), ()) == ""


def test_ipv6_addresses_with_their_scope() -> None:
    assert [(entry.interface, entry.scope) for entry in addresses6(INET6)] == [
        ("lo", "host"),
        ("eth0", "link"),
        ("eth0", "global"),
    ]


def test_the_ipv6_default_route_with_the_smallest_metric() -> None:
    zero = "0" * 32
    rows = [
        f"{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo",
        f"{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003     eth1",
        f"{zero} 00 {zero} 00 fe800000000000000000000000000001 00000064 00000003 00000000 00000003     eth0",
    ]

    assert default_interface6("\n".join(rows)) == "eth0"
    assert default_interface6(rows[0]) == ""


def test_only_a_listening_socket_takes_a_port() -> None:
    head = "  sl  local_address rem_address   st tx_queue\n"

    assert listens(head + "   0: 00000000:7305 00000000:0000 0A 0:0", 29445)
    assert not listens(head + "   0: 0100007F:7305 0100007F:0016 01 0:0", 29445)
    assert not listens(head + "   0: 00000000:7305 00000000:0000 0A 0:0", 29446)


@given(st.text(max_size=300), st.integers(0, 65535))
def test_no_text_crashes_them(text: str, port: int) -> None:
    routes("head\n" + text)
    local_addresses4(text)
    addresses6(text)
    default_interface6(text)
    listens("head\n" + text, port)


@given(st.text(alphabet="0123456789ABCDEFeth\t", max_size=120))
def test_rows_that_look_nearly_right_do_not_crash_it(row: str) -> None:
    assert all(0 <= route.network < 1 << 32 for route in routes("head\neth0\t" + row))


@given(st.one_of(st.text(max_size=16), st.from_regex(r"[0-9.٣]{1,16}"), st.ip_addresses(v=4).map(str)))
def test_an_address_is_read_as_the_system_reads_it(text: str) -> None:
    try:
        expected = int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        expected = None
    assert address4(text) == expected
