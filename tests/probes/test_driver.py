"""The kernel module, its nodes, libraries and daemons."""

from __future__ import annotations

import pytest

from gpudoctor.host import Command, LocalHost
from gpudoctor.host.replay import ReplayHost
from gpudoctor.probes.driver import collect
from tests.probes.tree import REQUEST, Tree
from tests.readers.test_driver_version import OPEN, PROPRIETARY

HOST_PIDS = "pid:[4026531836]"


@pytest.fixture
def loaded(tree: Tree) -> Tree:
    tree.file("/proc/driver/nvidia/version", OPEN)
    tree.file("/proc/driver/nvidia/params", 'RegistryDwords: "ForceP2P=0x11"\n')
    for module in ("nvidia", "nvidia_uvm", "nvidia_peermem"):
        tree.folder(f"/sys/module/{module}")
    for node in ("nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "nvidia-caps/nvidia-cap1", "nvidiafb", "null"):
        tree.file(f"/dev/{node}")
    tree.file("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.580.95.05")
    tree.file("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1")
    tree.file("/usr/lib64/libnvidia-ml.so.535.183.01")
    tree.link("/proc/self/ns/pid", HOST_PIDS)
    tree.file("/proc/1/comm", "systemd\n")
    return tree


def test_a_loaded_driver(loaded: Tree) -> None:
    driver = collect(loaded.host(), REQUEST)

    assert driver.module_loaded.value is True
    assert driver.module_version.value == "580.95.05"
    assert driver.module_open.value is True
    assert driver.uvm_loaded.value is True
    assert driver.peermem_loaded.value is True
    assert driver.nouveau_loaded.value is False
    assert driver.library_versions.value == ("535.183.01", "580.95.05")
    assert driver.device_nodes.value == ("/dev/nvidia2", "/dev/nvidia10")
    assert driver.control_nodes.value == ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps/nvidia-cap1")
    assert driver.nodes_denied.value == ()
    assert driver.registry_dwords.value == "ForceP2P=0x11"
    assert driver.fabric_manager.value == "not_installed"
    assert driver.fabric_manager_version.absent == "not_applicable"


def test_who_built_the_module_is_left_out(loaded: Tree) -> None:
    assert "someone" not in repr(collect(loaded.host(), REQUEST))


def test_no_driver_at_all(tree: Tree) -> None:
    tree.folder("/sys/module/nouveau")
    tree.folder("/dev")

    driver = collect(tree.host(), REQUEST)

    assert driver.module_loaded.value is False
    assert driver.nouveau_loaded.value is True
    assert driver.module_version.absent == "not_applicable"
    assert driver.device_nodes.value == ()
    assert driver.library_versions.value == ()


def test_wsl_has_neither_module_nor_nodes_that_could_be_missing(tree: Tree) -> None:
    tree.folder("/sys/module/nouveau")
    tree.file("/dev/dxg")

    driver = collect(tree.host(), REQUEST)

    for fact in (
        driver.module_loaded,
        driver.uvm_loaded,
        driver.device_nodes,
        driver.control_nodes,
        driver.nodes_denied,
    ):
        assert fact.absent == "not_applicable"
    assert driver.nouveau_loaded.value is True


@pytest.mark.parametrize(("taint", "is_open"), [("OE", True), ("POE", False)])
def test_the_taint_tells_the_flavour_where_the_module_does_not(tree: Tree, taint: str, is_open: bool) -> None:
    tree.file("/sys/module/nvidia/version", "570.86.15\n")
    tree.file("/sys/module/nvidia/taint", taint + "\n")

    driver = collect(tree.host(), REQUEST)

    assert driver.module_open.value is is_open
    assert driver.module_version.value == "570.86.15"


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        (OPEN.replace("580.95.05", "580.95.05-p2p"), True, None),
        (PROPRIETARY, False, None),
        (OPEN, None, "not_supported"),
        (OPEN.replace("someone", "p2p"), None, "not_supported"),
    ],
)
def test_only_a_version_that_says_so_is_certainly_patched(
    tree: Tree, text: str, value: bool | None, reason: str | None
) -> None:
    tree.file("/proc/driver/nvidia/version", text)

    patched = collect(tree.host(), REQUEST).module_patched_p2p

    assert (patched.or_none(), patched.absent) == (value, reason)


def test_a_running_fabric_manager_is_found_by_its_cut_name(loaded: Tree) -> None:
    loaded.file("/proc/4711/comm", "nv-fabricmanage\n")

    assert collect(loaded.host(), REQUEST).fabric_manager.value == "running"


def test_an_installed_fabric_manager_that_does_not_run(loaded: Tree) -> None:
    loaded.file("/usr/bin/nv-fabricmanager")
    answer = Command(0, "Fabric Manager version is : 580.95.05\n", "")
    host = ReplayHost(str(loaded.root), {"nv-fabricmanager --version": answer})

    driver = collect(host, REQUEST)

    assert driver.fabric_manager.value == "not_running"
    assert driver.fabric_manager_version.value == "580.95.05"


def test_a_container_cannot_say_that_the_fabric_manager_is_not_running(loaded: Tree) -> None:
    loaded.at("/proc/self/ns/pid").unlink()
    loaded.link("/proc/self/ns/pid", "pid:[4026532999]")

    driver = collect(loaded.host(), REQUEST)

    assert driver.fabric_manager.absent == "not_supported"
    assert driver.fabric_manager_version.absent == "not_supported"


def test_hidden_processes_of_others_are_not_taken_for_none(loaded: Tree) -> None:
    loaded.at("/proc/1/comm").unlink()
    loaded.at("/proc/1").rmdir()

    assert collect(loaded.host(), REQUEST).fabric_manager.absent == "not_supported"


def test_this_machine_is_read() -> None:
    assert collect(LocalHost(), REQUEST).module_loaded.known
