"""`lspci` in pastes."""

from __future__ import annotations

from gpudoctor.model.facts import Facts, PciGpu
from gpudoctor.readers.documents.lspci import DOCUMENT
from tests.readers.documents.reading import read, sample


def cards(facts: Facts) -> tuple[PciGpu, ...]:
    return facts.pci.gpus.or_none() or ()


def test_cards_slots_and_windows() -> None:
    first, second = cards(read(sample("lspci"), DOCUMENT))
    assert (first.bus_id, first.device_id.value, first.driver.value) == ("0000:01:00.0", "2684", "nvidia")
    assert (first.bar1_bytes.value, second.bar1_bytes.value) == (32 << 30, 0)
    assert (second.link_width.value, second.slot_width_max.value) == (8, 8)
    assert (first.numa_node.value, first.iommu_group.value) == (0, "15")


def test_bridges_and_what_redirects() -> None:
    facts = read(sample("lspci"), DOCUMENT)
    (path,) = facts.pci.paths.or_none() or ()
    assert (path.level.value, path.bridges.value) == ("PHB", ("0000:00:01.1", "0000:00:03.1"))
    assert path.acs_redirect.value == ("0000:00:01.1",)


def test_a_listing_without_bridges_has_no_paths() -> None:
    facts = read("01:00.0 VGA compatible controller: NVIDIA Corporation AD102 [GeForce RTX 4090] (rev a1)\n", DOCUMENT)
    assert cards(facts)[0].device_id.value == "2684"  # by the name
    assert not facts.pci.paths.known


def test_words_of_acs_that_a_grep_left() -> None:
    off = "\t\tACSCtl:\tSrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd-"
    on = "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+"
    assert read(f"{off}\n{off}", DOCUMENT).pci.acs_redirect_seen.value is False
    assert read(f"{off}\n{on}", DOCUMENT).pci.acs_redirect_seen.value is True


def test_who_may_not_read_the_capabilities_proves_nothing() -> None:
    lines = [line for line in sample("lspci") if "ACS" not in line and "LnkCap" not in line]
    lines = [
        line.replace("Capabilities: [58] Express (v2) Root Port (Slot+), MSI 00", "Capabilities: <access denied>")
        for line in lines
    ]
    (path,) = read(lines, DOCUMENT).pci.paths.or_none() or ()
    assert path.acs_redirect.absent == "no_permission"


def test_a_card_of_another_vendor_is_left_out() -> None:
    assert not cards(read("03:00.0 VGA compatible controller: ASPEED Technology, Inc. Graphics (rev 41)", DOCUMENT))
