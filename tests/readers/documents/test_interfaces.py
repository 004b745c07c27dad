"""Interfaces and routes."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.interfaces import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def kinds(facts: Facts) -> dict[str, object]:
    return {one.name: one.kind.or_none() for one in facts.network.interfaces.or_none() or ()}


def test_ip_a() -> None:
    facts = read(sample("interfaces"), DOCUMENT)
    assert kinds(facts) == {"lo": "loopback", "eno1": "ethernet", "ib0": "infiniband", "docker0": "docker"}
    listed = {one.name: one for one in facts.network.interfaces.or_none() or ()}
    assert (listed["eno1"].up.value, listed["ib0"].up.value, listed["ib0"].mtu.value) == (False, True, 2044)
    assert facts.network.default_route.value == "eno1"


def test_addresses_are_not_kept() -> None:
    assert "10.0.0" not in repr(read(sample("interfaces"), DOCUMENT))


def test_ifconfig_brief_and_old_forms() -> None:
    text = "eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n        inet 172.17.0.2  netmask 255.255.0.0\n"
    assert kinds(read(text, DOCUMENT)) == {"eth0": "ethernet"}
    assert kinds(read("bond0            UP             172.31.5.6/20 fe80::1/64", DOCUMENT)) == {"bond0": "bond"}
    old = "wlan0     Link encap:Ethernet  HWaddr 00:11:22:33:44:55\n          inet addr:10.1.1.1  Bcast:10.1.1.255\n"
    assert kinds(read(old, DOCUMENT)) == {"wlan0": "wireless"}


def test_an_interface_without_an_address_is_left() -> None:
    assert not read("2: eno1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq\n", DOCUMENT).network.interfaces.known


def test_link_local_is_no_global_address() -> None:
    text = "2: eno1: <BROADCAST,UP,LOWER_UP> mtu 1500\n    inet6 fe80::1/64 scope link\n    inet 10.0.0.1/8\n"
    (one,) = read(text, DOCUMENT).network.interfaces.or_none() or ()
    assert (one.ipv4.value, one.ipv6.value) == (True, False)


def test_sentences_are_left() -> None:
    assert not found(["the worker is UP  again", "default via the proxy", "status UNKNOWN  reason"], DOCUMENT)
