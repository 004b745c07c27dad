"""GPUs, bridges and paths of machines made of small files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.model.facts import Pci, PciGpu, PciPath
from gpudoctor.probes.pci import collect
from tests.probes.tree import REQUEST, Tree, config_space
from tests.readers.test_pci_sysfs import ADA


@pytest.fixture(autouse=True)
def bus(tree: Tree) -> None:
    tree.folder("/sys/class/iommu")
    tree.folder("/sys/bus/pci/devices")
    tree.file("/sys/devices/system/node/has_cpu", "0\n")


def only_gpu(pci: Pci) -> PciGpu:
    (gpu,) = pci.gpus.or_none() or ()
    return gpu


def only_path(pci: Pci) -> PciPath:
    (path,) = pci.paths.or_none() or ()
    return path


def under_root_ports(tree: Tree, config: bytes, *places: str, numa: tuple[str, ...] = ("-1", "-1")) -> None:
    for place, node in zip(places, numa, strict=True):
        tree.bridge(place.rsplit("/", 1)[0], config)
        tree.gpu(place, numa_node=node)


def test_a_gpu_with_all_its_files_is_read(tree: Tree) -> None:
    tree.bridge("pci0000:00/0000:00:01.0", max_link_width="16", max_link_speed="32.0 GT/s PCIe")
    tree.gpu(
        "pci0000:00/0000:00:01.0/0000:01:00.0",
        resource=ADA,
        current_link_width="8",
        max_link_width="16",
        current_link_speed="2.5 GT/s PCIe",
        max_link_speed="16.0 GT/s PCIe",
        numa_node="1",
        aer_dev_fatal="DLP 1\nTOTAL_ERR_FATAL 1",
        aer_dev_correctable="RxErr 9\nTOTAL_ERR_COR 9",
    )
    base = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
    tree.link(f"{base}/driver", "../../../../bus/pci/drivers/nvidia")
    tree.link(f"{base}/iommu_group", "../../../../kernel/iommu_groups/14")
    tree.file("/sys/kernel/iommu_groups/14/type", "DMA-FQ\n")

    gpu = only_gpu(collect(tree.host(), REQUEST))

    assert gpu.bus_id == "0000:01:00.0"
    assert gpu.device_id.value == "2684"
    assert gpu.driver.value == "nvidia"
    assert gpu.bridges.value == ("0000:00:01.0",)
    assert (gpu.bar0_bytes.value, gpu.bar1_bytes.value) == (16 << 20, 32 << 30)
    assert (gpu.link_width.value, gpu.link_width_max.value) == (8, 16)
    assert (gpu.link_speed_gts.value, gpu.link_speed_max_gts.value) == (2.5, 16.0)
    assert (gpu.slot_width_max.value, gpu.slot_speed_max_gts.value) == (16, 32.0)
    assert gpu.numa_node.value == 1
    assert (gpu.iommu_group.value, gpu.iommu_type.value) == ("14", "DMA-FQ")
    assert (gpu.aer_fatal.value, gpu.aer_correctable.value) == (1, 9)


def test_a_gpu_of_which_nothing_else_is_known_has_absences_with_reasons(tree: Tree) -> None:
    tree.gpu("pci0000:00/0000:00:05.0", numa_node="-1", current_link_speed="Unknown", current_link_width="63")

    gpu = only_gpu(collect(tree.host(), REQUEST))

    assert gpu.driver.value == ""
    assert gpu.numa_node.absent == "not_applicable"
    assert gpu.link_speed_gts.absent == "not_supported"
    assert gpu.link_width.absent == "not_supported"
    assert gpu.slot_width_max.absent == "not_applicable"
    assert gpu.aer_fatal.absent == "not_applicable"
    assert gpu.bar1_bytes.absent == "not_applicable"
    assert gpu.iommu_type.value == "none"


def test_a_kernel_that_does_not_tell_the_iommu_type_is_not_taken_for_one_without(tree: Tree) -> None:
    tree.gpu("pci0000:00/0000:00:05.0")
    tree.link("/sys/devices/pci0000:00/0000:00:05.0/iommu_group", "../../../kernel/iommu_groups/3")

    assert only_gpu(collect(tree.host(), REQUEST)).iommu_type.absent == "not_supported"


def test_audio_functions_other_vendors_and_virtual_functions_are_no_gpus_and_switches_are_counted(tree: Tree) -> None:
    tree.gpu("pci0000:00/0000:01:00.0")
    tree.pci("pci0000:00/0000:01:00.1", {"vendor": "0x10de", "class": "0x040300"})
    tree.pci("pci0000:00/0000:02:00.0", {"vendor": "0x1002", "class": "0x030000"})
    tree.gpu("pci0000:00/0000:01:00.4")
    tree.link("/sys/devices/pci0000:00/0000:01:00.4/physfn", "../0000:01:00.0")
    for number in range(4):
        tree.pci(f"pci0000:00/0000:0{5 + number}:00.0", {"vendor": "0x10de", "class": "0x068000"})

    pci = collect(tree.host(), REQUEST)

    assert only_gpu(pci).bus_id == "0000:01:00.0"
    assert pci.nvswitches.value == 4


def test_one_switch_is_pix_and_a_cascade_is_pxb(tree: Tree) -> None:
    root, upstream = "pci0000:00/0000:00:01.0", "pci0000:00/0000:00:01.0/0000:01:00.0"
    tree.bridge(root)
    tree.bridge(upstream)
    for port in ("08", "10", "18"):
        tree.bridge(f"{upstream}/0000:02:{port}.0", config_space(0))
    tree.gpu(f"{upstream}/0000:02:08.0/0000:03:00.0")
    tree.gpu(f"{upstream}/0000:02:10.0/0000:04:00.0")
    deep = f"{upstream}/0000:02:18.0/0000:05:00.0"
    tree.bridge(deep, config_space(None))
    tree.bridge(f"{deep}/0000:06:00.0", config_space(0x1D))
    tree.gpu(f"{deep}/0000:06:00.0/0000:07:00.0")

    first, second, third = collect(tree.host(), REQUEST).paths.or_none() or ()

    assert (first.a, first.b, first.level.value) == ("0000:03:00.0", "0000:04:00.0", "PIX")
    assert first.bridges.value == ("0000:02:08.0", "0000:02:10.0")
    assert first.acs_redirect.value == ()
    assert second.level.value == third.level.value == "PXB"
    assert third.acs_redirect.value == ("0000:06:00.0",)


def test_acs_above_a_switch_that_routes_below_does_not_count(tree: Tree) -> None:
    root, upstream = "pci0000:00/0000:00:01.0", "pci0000:00/0000:00:01.0/0000:01:00.0"
    tree.bridge(root, config_space(0x1D))
    tree.bridge(upstream, config_space(0x1D))
    for number in ("08", "10"):
        tree.bridge(f"{upstream}/0000:02:{number}.0", config_space(0))
        tree.gpu(f"{upstream}/0000:02:{number}.0/0000:{number}:00.0")

    assert only_path(collect(tree.host(), REQUEST)).acs_redirect.value == ()


def test_two_root_ports_of_one_host_bridge_are_phb_and_their_acs_counts(tree: Tree) -> None:
    under_root_ports(
        tree, config_space(0x1D), "pci0000:00/0000:00:01.0/0000:01:00.0", "pci0000:00/0000:00:03.1/0000:41:00.0"
    )

    path = only_path(collect(tree.host(), REQUEST))

    assert path.level.value == "PHB"
    assert path.bridges.value == ("0000:00:01.0", "0000:00:03.1")
    assert path.acs_redirect.value == ("0000:00:01.0", "0000:00:03.1")


APART = ("pci0000:00/0000:00:01.0/0000:01:00.0", "pci0000:80/0000:80:01.0/0000:81:00.0")


@pytest.mark.parametrize(
    ("nodes", "numa", "level"),
    [("0-1", ("0", "0"), "NODE"), ("0-1", ("0", "1"), "SYS"), ("0", ("-1", "-1"), "NODE")],
)
def test_between_host_bridges_the_numa_nodes_decide(tree: Tree, nodes: str, numa: tuple[str, str], level: str) -> None:
    tree.file("/sys/devices/system/node/has_cpu", nodes)
    under_root_ports(tree, config_space(0), *APART, numa=numa)

    assert only_path(collect(tree.host(), REQUEST)).level.value == level


def test_several_nodes_and_no_word_from_the_firmware_leave_the_level_open(tree: Tree) -> None:
    tree.file("/sys/devices/system/node/has_cpu", "0-1")
    under_root_ports(tree, config_space(0), *APART, numa=("-1", "1"))

    assert only_path(collect(tree.host(), REQUEST)).level.absent == "not_supported"


@pytest.mark.parametrize(("size", "reason"), [(64, "no_permission"), (256, "not_supported"), (0, "no_permission")])
def test_acs_that_cannot_be_read_is_never_off(tree: Tree, size: int, reason: str) -> None:
    under_root_ports(tree, config_space(0x1D, size), *APART)

    redirect = only_path(collect(tree.host(), REQUEST)).acs_redirect

    assert redirect.absent == reason


def test_one_bridge_that_redirects_decides_even_if_another_cannot_be_read(tree: Tree) -> None:
    tree.bridge("pci0000:00/0000:00:01.0", config_space(0x1D))
    tree.gpu("pci0000:00/0000:00:01.0/0000:01:00.0")
    tree.bridge("pci0000:00/0000:00:02.0", config_space(0x1D, 64))
    tree.gpu("pci0000:00/0000:00:02.0/0000:02:00.0")

    assert only_path(collect(tree.host(), REQUEST)).acs_redirect.value == ("0000:00:01.0",)


def test_a_virtual_bus_without_bridges_says_nothing_about_acs(tree: Tree) -> None:
    tree.gpu("pci0000:00/0000:00:05.0")
    tree.gpu("pci0000:00/0000:00:06.0")

    path = only_path(collect(tree.host(), REQUEST))

    assert path.level.value == "PHB"
    assert path.acs_redirect.absent == "not_supported"


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (["dmar0", "dmar1"], ("intel",)),
        (["ivhd0"], ("amd",)),
        (["smmu3.0x0000000050000000"], ("arm_smmu",)),
        (["virtio-iommu"], ("other",)),
        ([], ()),
    ],
)
def test_iommus_by_their_names(tree: Tree, names: list[str], kinds: tuple[str, ...]) -> None:
    for name in names:
        tree.folder(f"/sys/class/iommu/{name}")

    pci = collect(tree.host(), REQUEST)

    assert pci.iommu_kinds.value == kinds
    assert pci.iommu_active.value is bool(names)


def test_a_machine_without_a_pci_bus_is_told_apart_from_one_without_gpus(tmp_path: Path, tree: Tree) -> None:
    assert collect(tree.host(), REQUEST).gpus.value == ()
    assert collect(Tree(tmp_path / "bare").host(), REQUEST).gpus.absent == "not_applicable"


def test_under_wsl_the_virtual_bus_says_nothing_about_gpus(tree: Tree) -> None:
    tree.file("/dev/dxg")

    pci = collect(tree.host(), REQUEST)

    assert pci.gpus.absent == "not_applicable"
    assert pci.paths.absent == "not_applicable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_listed_is_no_permission(tree: Tree) -> None:
    tree.at("/sys/bus/pci/devices").chmod(0)

    assert collect(tree.host(), REQUEST).gpus.absent == "no_permission"


def test_garbled_files_are_parse_errors_and_nothing_worse(tree: Tree) -> None:
    tree.gpu(
        "pci0000:00/0000:00:05.0",
        device="zz",
        resource="\x00\xff" * 50,
        numa_node="9" * 400,
        current_link_speed="fast",
        max_link_width="",
        aer_dev_fatal="TOTAL_ERR_FATAL many",
    )

    gpu = only_gpu(collect(tree.host(), REQUEST))

    for fact in (gpu.device_id, gpu.bar1_bytes, gpu.numa_node, gpu.link_speed_gts, gpu.link_width_max, gpu.aer_fatal):
        assert fact.absent == "parse_error"


def test_this_machine_is_read() -> None:
    pci = collect(LocalHost(), REQUEST)

    assert pci.gpus.known or pci.gpus.absent == "not_applicable"


def test_a_kernel_with_other_buses_and_no_pci_has_no_card(tmp_path: Path) -> None:
    bare = Tree(tmp_path / "bare")
    bare.folder("/sys/bus/virtio")
    assert collect(bare.host(), REQUEST).gpus.or_none() == ()


def test_without_any_bus_nothing_is_known_of_cards(tmp_path: Path) -> None:
    gpus = collect(Tree(tmp_path / "bare").host(), REQUEST).gpus
    assert (gpus.known, gpus.detail) == (False, "/sys/bus/pci/devices does not exist")
