"""Several sources of one GPU are joined, and none is guessed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gpudoctor.derive import derive
from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import CudaDriver, Facts, GpuProcess, Nvml, Pci, PciGpu
from tests.derive.machines import gpu, machine


def test_a_card_that_the_driver_does_not_name_is_named_by_its_pci_id() -> None:
    bus = PciGpu(bus_id="0000:17:00.0", device_id=known("2330", "sysfs"), link_width_max=known(16, "sysfs"))
    facts = Facts(nvml=Nvml(devices=absent("timeout", "nvmlInit hung")), pci=Pci(gpus=known((bus,), "sysfs")))
    (found,) = derive(facts).gpus.devices.or_none() or ()
    assert (found.name.or_none(), found.name.source) == ("NVIDIA H100 80GB HBM3", "PCI id")
    assert found.nvlinks_expected.or_none() == 18


@pytest.mark.parametrize(
    ("nvml", "expected"),
    [
        (Nvml(init_error=known("", "nvml"), count=known(2, "nvml")), True),
        (Nvml(init_error=known("DRIVER_NOT_LOADED", "nvml"), count=absent("failed")), False),
        (Nvml(init_error=absent("failed", "hung"), stalled_calls=known(("nvmlInit",), "nvml")), False),
        (Nvml(init_error=absent("timeout"), count=absent("timeout")), False),
        (Nvml(init_error=absent("failed", "could not be started"), count=absent("failed")), None),
        (Nvml(), None),
    ],
)
def test_the_driver_answers_or_not_only_where_it_was_asked(nvml: Nvml, expected: bool | None) -> None:
    assert derive(Facts(nvml=nvml)).gpus.driver_answers.or_none() is expected


def test_cuda_that_finds_no_device_is_no_driver_that_answers() -> None:
    refused = Nvml(init_error=known("DRIVER_NOT_LOADED", "nvml"), count=absent("failed"))
    none = CudaDriver(init_error=known("CUDA_ERROR_NO_DEVICE", "cuda"), device_count=known(0, "cuda"))
    assert derive(Facts(nvml=refused, cuda=none)).gpus.driver_answers.or_none() is False


def test_a_pci_id_that_two_products_share_names_none() -> None:
    bus = PciGpu(bus_id="0000:17:00.0", device_id=known("25b6", "sysfs"))
    (found,) = derive(Facts(pci=Pci(gpus=known((bus,), "sysfs")))).gpus.devices.or_none() or ()
    assert not found.name.known


def test_the_bus_completes_what_nvml_did_not_say_and_overrules_nothing() -> None:
    facts = machine(["NVIDIA GeForce RTX 4090"])
    bus = PciGpu(bus_id="0000:01:00.0", bar1_bytes=known(1 << 28, "sysfs"), link_width=known(8, "sysfs"))
    (found,) = derive(Facts(nvml=facts.nvml, pci=Pci(gpus=known((bus,), "sysfs")))).gpus.devices.or_none() or ()
    assert found.bar1_total_bytes.or_none() == 1 << 28
    assert found.pcie_width.source == "sysfs"
    assert found.memory_total_bytes.source == "nvml"


def test_a_card_has_no_expected_number_of_links_because_a_bridge_may_be_missing() -> None:
    (found,) = derive(machine(["NVIDIA GeForce RTX 3090"])).gpus.devices.or_none() or ()
    assert found.nvlinks_expected.absent == "not_applicable"
    assert found.p2p_policy.or_none() == "bridge"


@pytest.mark.parametrize(
    ("name", "active", "expected"),
    [("NVIDIA GeForce RTX 3090", 2, 4), ("NVIDIA A100 80GB PCIe", 4, None), ("NVIDIA GeForce RTX 3090", 0, None)],
)
def test_a_fitted_bridge_has_all_its_links_where_a_card_takes_one_only(
    name: str, active: int, expected: int | None
) -> None:
    facts = machine([name])
    devices = tuple(replace(gpu, nvlinks_active=known(active, "nvml")) for gpu in facts.nvml.devices.or_none() or ())
    nvml = replace(facts.nvml, devices=known(devices, "nvml"))
    (found,) = derive(replace(facts, nvml=nvml)).gpus.devices.or_none() or ()
    assert found.nvlinks_expected.or_none() == expected


def test_a_model_outside_the_table_is_not_judged_by_it() -> None:
    (found,) = derive(machine(["NVIDIA RTX 9999"])).gpus.devices.or_none() or ()
    assert not found.pcie_width_gpu_max.known
    assert not found.p2p_policy.known


def test_our_own_ancestors_are_not_foreign_processes() -> None:
    ours = GpuProcess(pid=1, ancestor_of_us=known(True, "proc"))
    theirs = GpuProcess(pid=2, ancestor_of_us=known(False, "proc"))
    from msgspec.structs import replace

    card = replace(gpu(0), processes=known((ours, theirs), "nvml"))
    facts = Facts(nvml=Nvml(count=known(1, "nvml"), devices=known((card,), "nvml")))
    assert [process.pid for process in derive(facts).gpus.foreign_processes.or_none() or ()] == [2]


def test_nothing_known_is_absent_for_the_reason_of_its_source() -> None:
    found = derive(Facts(nvml=Nvml(devices=absent("timeout"), count=absent("timeout"))))
    assert found.gpus.devices.absent == "timeout"
    assert found.gpus.visible.absent == "timeout"
    assert found.topology.pairs.absent == "timeout"
    assert found.group.gpus.absent == "timeout"


def test_a_card_in_a_narrower_slot_is_not_a_link_that_trained_badly_where_only_sysfs_tells() -> None:
    bus = PciGpu(
        bus_id="0000:01:00.0",
        link_width=known(8, "sysfs"),
        link_width_max=known(16, "sysfs"),
        slot_width_max=known(8, "sysfs"),
    )
    (found,) = derive(Facts(pci=Pci(gpus=known((bus,), "sysfs")))).gpus.devices.or_none() or ()
    assert (found.pcie_width.or_none(), found.pcie_width_max.or_none()) == (8, 8)


def test_cards_without_nvlink_are_on_no_switch() -> None:
    facts = machine(["NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4090"])
    devices = tuple(replace(card, nvlinks_total=known(0, "nvml")) for card in facts.nvml.devices.or_none() or ())
    found = derive(Facts(nvml=Nvml(devices=known(devices, "nvml")), pci=Pci(nvswitches=known(0, "sysfs"))))
    assert found.topology.nvswitch.or_none() is False
