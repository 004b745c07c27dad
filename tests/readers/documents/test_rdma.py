"""RDMA ports."""

from __future__ import annotations

from gpudoctor.readers.documents.rdma import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_ibstat() -> None:
    (port,) = read(sample("rdma"), DOCUMENT).rdma.devices.or_none() or ()
    assert (port.name, port.port, port.state.value) == ("mlx5_0", 1, "ACTIVE")
    assert (port.link_layer.value, port.rate_gbps.value) == ("InfiniBand", 200.0)


def test_ibv_devinfo() -> None:
    text = (
        "hca_id:\tmlx5_bond_0\n\ttransport:\t\t\tInfiniBand (0)\n\t\tport:\t1\n"
        "\t\t\tstate:\t\t\tPORT_DOWN (1)\n\t\t\tlink_layer:\t\tEthernet\n"
    )
    (port,) = read(text, DOCUMENT).rdma.devices.or_none() or ()
    assert (port.name, port.state.value, port.link_layer.value) == ("mlx5_bond_0", "DOWN", "Ethernet")


def test_short_forms() -> None:
    text = "mlx5_0 port 1 ==> ib0 (Up)\nmlx5_1 port 1 ==> eth2 (Down)\n"
    assert [one.state.value for one in read(text, DOCUMENT).rdma.devices.or_none() or ()] == ["ACTIVE", "DOWN"]
    link = "link mlx5_0/1 state ACTIVE physical_state LINK_UP netdev ens1f0np0"
    assert len(read(link, DOCUMENT).rdma.devices.or_none() or ()) == 1


def test_a_cut_report_still_names_the_port() -> None:
    (port,) = read(sample("rdma")[:4], DOCUMENT).rdma.devices.or_none() or ()
    assert not port.state.known
