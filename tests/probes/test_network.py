"""Interfaces, routes and the host name of machines made of small files."""

from __future__ import annotations

import socket

import msgspec
import pytest
from msgspec.structs import replace

from gpudoctor.host import Command, HostError, LocalHost
from gpudoctor.host.replay import ReplayHost
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Interface, Network, Workload
from gpudoctor.probes.network import collect
from tests.probes.tree import REQUEST, Tree
from tests.readers.test_net_tables import HEADER, INET6, ROUTES, TRIE


def nic(
    tree: Tree, name: str, index: int, kind: int = 1, *files: str, state: str = "up", flags: str = "0x1003"
) -> None:
    base = f"/sys/class/net/{name}"
    for file, content in (
        ("ifindex", str(index)),
        ("type", str(kind)),
        ("operstate", state),
        ("flags", flags),
        ("mtu", "1500"),
    ):
        tree.file(f"{base}/{file}", content + "\n")
    for file in files:
        tree.file(f"{base}/{file}")


@pytest.fixture
def server(tree: Tree) -> Tree:
    nic(tree, "lo", 1, 772, state="unknown", flags="0x9")
    nic(tree, "eth0", 2, 1, "device/vendor")
    tree.file("/sys/class/net/eth0/speed", "25000\n")
    nic(tree, "docker0", 3, state="down")
    tree.file("/sys/class/net/docker0/speed", "-1\n")
    nic(tree, "veth12ab", 4)
    tree.file("/proc/net/route", ROUTES)
    tree.file("/proc/net/fib_trie", TRIE)
    tree.file("/proc/net/if_inet6", INET6)
    tree.file("/proc/net/tcp", "  sl  local_address rem_address   st\n   0: 00000000:7305 00000000:0000 0A 0:0\n")
    tree.file("/proc/sys/kernel/hostname", "box\n")
    tree.file("/etc/hosts", "127.0.0.1 localhost\n10.0.0.7 box\n")
    return tree


def by_name(network: Network) -> dict[str, Interface]:
    return {interface.name: interface for interface in network.interfaces.or_none() or ()}


def test_interfaces_with_an_address(server: Tree) -> None:
    interfaces = by_name(collect(server.host(), REQUEST))

    assert list(interfaces) == ["lo", "eth0", "docker0"]
    assert {name: interface.kind.value for name, interface in interfaces.items()} == {
        "lo": "loopback",
        "eth0": "ethernet",
        "docker0": "docker",
    }
    eth0, docker0 = interfaces["eth0"], interfaces["docker0"]
    assert (eth0.up.value, eth0.ipv4.value, eth0.ipv6.value) == (True, True, True)
    assert (eth0.speed_mbps.value, eth0.mtu.value) == (25000, 1500)
    assert (docker0.up.value, docker0.ipv6.value) == (False, False)
    assert docker0.speed_mbps.absent == "not_supported"


def test_choices_follow_from_the_machine_and_the_launch_commands_environment(server: Tree) -> None:
    network = collect(server.host(), REQUEST)

    assert network.default_route.value == "eth0"
    assert network.nccl_choice.value == "eth0"
    assert network.hostname_resolves_to.value == "eth0"
    assert network.gloo_choice.value == "eth0"

    launched = replace(REQUEST, launch_env=(("NCCL_SOCKET_IFNAME", "eth1"), ("GLOO_SOCKET_IFNAME", "lo")))
    network = collect(server.host(NCCL_SOCKET_IFNAME="eth0"), launched)

    assert network.nccl_choice.absent == "failed"
    assert network.nccl_ifname_unmatched.value == ("eth1",)
    assert network.gloo_choice.value == "lo"


def test_no_address_and_no_host_name_leaves_the_probe(server: Tree) -> None:
    server.file("/proc/sys/kernel/hostname", "secret-box\n")
    server.file("/etc/hosts", "10.0.0.7 secret-box\n")
    text = msgspec.json.encode(collect(server.host(), REQUEST)).decode()

    for secret in ("10.0.0", "172.17", "127.0", "fd00", "fe80", "secret"):
        assert secret not in text


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("127.0.1.1 box", "loopback"),
        ("::1 box", "loopback"),
        ("203.0.113.9 box", "foreign"),
        ("203.0.113.9 box\n10.0.0.7 box", "eth0"),
        ("fd00::2 box", "eth0"),
        ("172.17.0.1 box", "docker0"),
        ("rubbish box", "foreign"),
    ],
)
def test_what_the_host_name_resolves_to(server: Tree, hosts: str, expected: str) -> None:
    server.file("/etc/hosts", hosts + "\n")

    assert collect(server.host(), REQUEST).hostname_resolves_to.value == expected


@pytest.mark.parametrize(
    ("answer", "value", "reason"),
    [
        (Command(0, "10.0.0.7  STREAM box\n10.0.0.7  DGRAM\n", ""), "eth0", None),
        (Command(2, "", ""), "nothing", None),
        (HostError("timeout", "getent did not answer within 1.5 s"), None, "timeout"),
    ],
)
def test_a_name_that_etc_hosts_lacks_is_looked_up(
    server: Tree, answer: Command | HostError, value: str | None, reason: str | None
) -> None:
    server.file("/etc/hosts", "127.0.0.1 localhost\n")
    network = collect(ReplayHost(str(server.root), {"getent ahosts box": answer}), REQUEST)

    assert (network.hostname_resolves_to.or_none(), network.hostname_resolves_to.absent) == (value, reason)
    assert network.gloo_choice.known is (reason is None)


@pytest.mark.parametrize("name", ["-a", "a b", "x" * 300, "\x1b[2J"])
def test_a_host_name_that_is_none_is_not_looked_up(server: Tree, name: str) -> None:
    server.file("/proc/sys/kernel/hostname", name)

    assert collect(server.host(), REQUEST).hostname_resolves_to.absent == "parse_error"


@pytest.mark.parametrize(
    ("name", "kind", "files", "expected"),
    [
        ("ib0", 32, (), "infiniband"),
        ("bond0", 1, ("bonding/mode",), "bond"),
        ("wlp3s0", 1, ("device/vendor", "wireless/link"), "wireless"),
        ("tailscale0", 65534, ("tun_flags",), "vpn"),
        ("wg0", 65534, (), "vpn"),
        ("br-0123456789ab", 1, (), "docker"),
        ("virbr0", 1, (), "virtual"),
        ("eth1", 1, (), "ethernet"),
        ("enp5s0", 1, (), "ethernet"),
        ("br0", 1, (), "virtual"),
    ],
)
def test_kinds_of_interfaces(server: Tree, name: str, kind: int, files: tuple[str, ...], expected: str) -> None:
    nic(server, name, 9, kind, *files)
    server.file("/proc/net/if_inet6", f"fd000000000000000000000000000009 09 40 00 82 {name}\n")

    assert by_name(collect(server.host(), REQUEST))[name].kind.value == expected


def test_several_interfaces_in_one_network_have_an_address_each(server: Tree) -> None:
    nic(server, "eth1", 9, 1, "device/vendor")
    server.file("/proc/net/route", ROUTES + "eth1\t0000000A\t00000000\t0001\t0\t0\t200\t00FFFFFF\t0\t0\t0\n")

    assert by_name(collect(server.host(), REQUEST))["eth1"].ipv4.value is True


def test_an_address_without_a_network_belongs_to_the_default_route(server: Tree) -> None:
    server.file("/proc/net/route", HEADER + "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n")

    assert by_name(collect(server.host(), REQUEST))["eth0"].ipv4.value is True


def test_a_sandbox_without_sys_and_without_the_list_of_addresses(tree: Tree) -> None:
    tree.file("/proc/net/dev", "Inter-|   Receive\n face |bytes\n    lo: 1 2\n  eth0: 3 4\n")
    tree.file("/proc/net/route", ROUTES)

    network = collect(tree.host(), REQUEST)

    assert list(by_name(network)) == ["lo", "eth0"]
    assert network.nccl_choice.value == "eth0"


@pytest.mark.parametrize(("port", "used"), [(29445, True), (29500, False)])
def test_the_master_port(server: Tree, port: int, used: bool) -> None:
    by_command = replace(REQUEST, workload=Workload(master_port=known(port, "launch command")))

    assert collect(server.host(), by_command).master_port_in_use.value is used
    assert collect(server.host(MASTER_PORT=str(port)), REQUEST).master_port_in_use.value is used


@pytest.mark.parametrize(
    ("setting", "reason"), [("", "not_provided"), ("many", "not_provided"), ("0", "not_applicable")]
)
def test_no_master_port_is_not_a_free_one(server: Tree, setting: str, reason: str) -> None:
    assert collect(server.host(MASTER_PORT=setting), REQUEST).master_port_in_use.absent == reason


def test_a_machine_that_shows_nothing(tree: Tree) -> None:
    network = collect(tree.host(MASTER_PORT="29500"), REQUEST)

    assert network.interfaces.value == ()
    assert network.default_route.absent == "not_applicable"
    assert network.nccl_choice.absent == "failed"
    assert network.hostname_resolves_to.absent == "not_applicable"
    assert network.master_port_in_use.absent == "not_applicable"


def test_this_machine_agrees_with_what_the_kernel_tells_a_socket() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        network = collect(LocalHost(environ={"MASTER_PORT": str(port)}), REQUEST)

    assert network.master_port_in_use.value is True
    assert set(by_name(network)) <= {name for _, name in socket.if_nameindex()}
