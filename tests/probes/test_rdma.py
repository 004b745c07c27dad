"""InfiniBand and RoCE devices."""

from __future__ import annotations

from gpudoctor.host import LocalHost
from gpudoctor.probes.rdma import collect
from tests.probes.tree import REQUEST, Tree


def test_ports_with_state_layer_and_rate(tree: Tree) -> None:
    base = "/sys/class/infiniband"
    for name, state, layer, rate in (
        ("mlx5_0", "4: ACTIVE", "InfiniBand", "400 Gb/sec (4X NDR)"),
        ("mlx5_1", "1: DOWN", "Ethernet", "nonsense"),
    ):
        for file, content in (("state", state), ("link_layer", layer), ("rate", rate)):
            tree.file(f"{base}/{name}/ports/1/{file}", content + "\n")
    tree.file(f"{base}/mlx5_0/device/numa_node", "1\n")
    tree.file(f"{base}/mlx5_1/device/numa_node", "-1\n")
    tree.file("/usr/lib/x86_64-linux-gnu/libibverbs.so.1")
    for node in ("uverbs0", "uverbs1", "rdma_cm"):
        tree.file(f"/dev/infiniband/{node}")

    rdma = collect(tree.host(), REQUEST)

    first, second = rdma.devices.or_none() or ()
    assert (first.name, first.port, first.state.value, first.link_layer.value) == ("mlx5_0", 1, "ACTIVE", "InfiniBand")
    assert (first.rate_gbps.value, first.numa_node.value) == (400.0, 1)
    assert (second.state.value, second.rate_gbps.absent, second.numa_node.absent) == (
        "DOWN",
        "parse_error",
        "not_applicable",
    )
    assert rdma.verbs_library.value is True
    assert rdma.device_nodes.value == 2


def test_none_of_it_is_a_healthy_single_node(tree: Tree) -> None:
    rdma = collect(tree.host(), REQUEST)

    assert (rdma.devices.value, rdma.verbs_library.value, rdma.device_nodes.value) == ((), False, 0)


def test_this_machine_is_read() -> None:
    assert collect(LocalHost(), REQUEST).devices.known
