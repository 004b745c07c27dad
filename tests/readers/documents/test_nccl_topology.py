"""NCCL's topology file."""

from __future__ import annotations

from gpudoctor.readers.documents.nccl_topology import DOCUMENT
from tests.readers.documents.reading import gpus, read, sample


def test_cards_links_and_nodes() -> None:
    facts = read(sample("nccl_topology"), DOCUMENT)
    assert facts.machine.cpu_vendor.value == "amd"
    assert [(gpu.index, gpu.pci_bus_id.value) for gpu in gpus(facts)] == [
        (0, "0000:41:00.0"),
        (1, "0000:42:00.0"),
        (2, "0000:81:00.0"),
    ]
    assert gpus(facts)[0].compute_capability.value == "8.9"
    pairs = {(pair.a, pair.b): pair.link for pair in facts.nvidia_smi.topology.or_none() or ()}
    assert pairs == {(0, 1): "NV4", (0, 2): "SYS", (1, 2): "SYS"}
    assert {path.level.value for path in facts.pci.paths.or_none() or ()} == {"PIX", "SYS"}
    assert facts.nvidia_smi.gpus_partial.value is True  # those of the communicator only


def test_links_to_a_switch_join_all() -> None:
    card = (
        '<pci busid="0000:{0}:00.0" class="0x030200" link_width="16"><gpu dev="{1}" sm="90" rank="{1}">\n'
        '<nvlink target="ffff:ff:ff.0" count="18" tclass="0x068000"/></gpu></pci>\n'
    )
    text = '<system version="1">\n<cpu numaid="0" arch="x86_64" vendor="GenuineIntel">\n'
    facts = read(text + card.format("18", 0) + card.format("2a", 1), DOCUMENT)
    assert [pair.link for pair in facts.nvidia_smi.topology.or_none() or ()] == ["NV18"]
    assert gpus(facts)[0].nvlink_to_switch.value is True


def test_a_cut_file() -> None:
    facts = read(sample("nccl_topology")[:5], DOCUMENT)
    assert len(gpus(facts)) == 1
    assert not facts.nvidia_smi.topology.known


def test_only_a_cpu() -> None:
    facts = read('<cpu numaid="0" arch="arm64" vendor="">', DOCUMENT)
    assert facts.machine.cpu_vendor.value == "arm"
