"""Containers, virtual machines and WSL."""

from __future__ import annotations

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.probes.virtualization import collect
from tests.probes.tree import REQUEST, Tree

BARE = "processor : 0\nvendor_id : AuthenticAMD\nflags : fpu avx2\n"
GUEST = "processor : 0\nvendor_id : AuthenticAMD\nflags : fpu avx2 hypervisor\n"
ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/.dockerenv", "docker"),
        ("/run/.containerenv", "podman"),
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", "kubernetes"),
        ("/.singularity.d/env", "apptainer"),
    ],
)
def test_marker_files(tree: Tree, path: str, kind: str) -> None:
    tree.file(path)

    assert collect(tree.host(), REQUEST).container.value == kind


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        (f"0::/system.slice/docker-{ID}.scope", "docker"),
        (f"4:memory:/docker/{ID}", "docker"),
        (f"0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-{ID}.scope", "kubernetes"),
        (f"0::/machine.slice/libpod-{ID}.scope/container", "podman"),
        ("0::/lxc.payload.web/user.slice", "lxc"),
        ("0::/system.slice/docker.service", "none"),
        ("0::/user.slice/user-1000.slice", "none"),
    ],
)
def test_names_of_control_groups(tree: Tree, group: str, kind: str) -> None:
    tree.file("/proc/self/cgroup", group + "\n")

    assert collect(tree.host(), REQUEST).container.value == kind


def test_variables_of_kubernetes_and_apptainer(tree: Tree) -> None:
    assert collect(tree.host(KUBERNETES_SERVICE_HOST="10.0.0.1"), REQUEST).container.value == "kubernetes"
    assert collect(tree.host(APPTAINER_CONTAINER="/x.sif"), REQUEST).container.value == "apptainer"


@pytest.mark.parametrize(("manager", "kind"), [("lxc", "lxc"), ("systemd-nspawn", "other"), ("wsl", "none")])
def test_what_systemd_was_told(tree: Tree, manager: str, kind: str) -> None:
    tree.file("/run/systemd/container", manager + "\n")

    assert collect(tree.host(), REQUEST).container.value == kind


def test_a_root_laid_over_another_is_a_container_only_in_a_pid_namespace_of_its_own(tree: Tree) -> None:
    tree.file("/proc/self/mountinfo", "700 600 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/a\n")
    tree.link("/proc/self/ns/pid", "pid:[4026531836]")

    assert collect(tree.host(), REQUEST).container.value == "none"

    tree.at("/proc/self/ns/pid").unlink()
    tree.link("/proc/self/ns/pid", "pid:[4026532999]")

    assert collect(tree.host(), REQUEST).container.value == "other"


@pytest.mark.parametrize(
    ("vendor", "product", "tag", "kind"),
    [
        ("Amazon EC2", "p4d.24xlarge", "", "aws"),
        ("Google", "Google Compute Engine", "", "google"),
        ("Microsoft Corporation", "Virtual Machine", "7783-7084-3265-9085-8269-3286-77", "azure"),
        ("Microsoft Corporation", "Virtual Machine", "", "hyperv"),
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "", "kvm"),
        ("VMware, Inc.", "VMware7,1", "", "vmware"),
        ("Xen", "HVM domU", "", "xen"),
        ("Somebody", "Something", "", "other"),
    ],
)
def test_virtual_machines_by_firmware(tree: Tree, vendor: str, product: str, tag: str, kind: str) -> None:
    tree.file("/proc/cpuinfo", GUEST)
    tree.file("/sys/class/dmi/id/sys_vendor", vendor)
    tree.file("/sys/class/dmi/id/product_name", product)
    tree.file("/sys/class/dmi/id/chassis_asset_tag", tag)

    assert collect(tree.host(), REQUEST).vm.value == kind


def test_bare_metal_of_a_cloud_is_no_virtual_machine(tree: Tree) -> None:
    tree.file("/proc/cpuinfo", BARE)
    tree.file("/sys/class/dmi/id/sys_vendor", "Amazon EC2")

    assert collect(tree.host(), REQUEST).vm.value == "none"


def test_the_clock_tells_where_there_is_no_firmware(tree: Tree) -> None:
    tree.file("/proc/cpuinfo", GUEST)
    tree.file("/sys/devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock tsc acpi_pm \n")

    assert collect(tree.host(), REQUEST).vm.value == "kvm"


def test_arm_has_no_flag_so_the_firmware_decides(tree: Tree) -> None:
    tree.file("/proc/cpuinfo", "CPU implementer : 0x41\nCPU part : 0xd4f\n")

    assert collect(tree.host(), REQUEST).vm.absent == "not_supported"

    tree.file("/sys/class/dmi/id/sys_vendor", "NVIDIA")

    assert collect(tree.host(), REQUEST).vm.value == "none"


@pytest.mark.parametrize(
    ("release", "wsl"),
    [
        ("6.8.0-48-generic", 0),
        ("6.8.0-1018-azure", 0),
        ("4.4.0-19041-Microsoft", 1),
        ("5.15.167.4-microsoft-standard-WSL2", 2),
    ],
)
def test_wsl(tree: Tree, release: str, wsl: int) -> None:
    tree.file("/proc/sys/kernel/osrelease", release)
    tree.file("/proc/cpuinfo", GUEST)

    found = collect(tree.host(), REQUEST)

    assert found.wsl.value == wsl
    assert (found.vm.value == "hyperv") is bool(wsl)


def test_namespaces_by_their_fixed_numbers(tree: Tree) -> None:
    tree.link("/proc/self/ns/pid", "pid:[4026532999]")
    tree.link("/proc/self/ns/ipc", "ipc:[4026531839]")

    found = collect(tree.host(), REQUEST)

    assert found.host_pid_namespace.value is False
    assert found.host_ipc_namespace.value is True


def test_without_namespace_links_the_second_process_tells(tree: Tree) -> None:
    assert collect(tree.host(), REQUEST).host_pid_namespace.absent == "not_supported"

    tree.file("/proc/1/comm", "systemd")
    tree.file("/proc/2/comm", "kthreadd")

    assert collect(tree.host(), REQUEST).host_pid_namespace.value is True


def test_the_toolkit_is_seen_by_its_mounts_and_not_by_a_variable_of_the_image(tree: Tree) -> None:
    tree.file("/.dockerenv")
    tree.file("/proc/self/mountinfo", "700 600 0:55 / / rw - overlay overlay rw\n")

    bare = collect(tree.host(NVIDIA_VISIBLE_DEVICES="all"), REQUEST)

    assert bare.nvidia_runtime.value is False
    assert bare.nvidia_visible_devices.value == "all"

    mount = (
        "701 700 259:2 /usr/lib/x/libcuda.so.580.95.05 /usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05 ro - ext4 a rw\n"
    )
    tree.file("/proc/self/mountinfo", mount)

    assert collect(tree.host(), REQUEST).nvidia_runtime.value is True


def test_outside_a_container_there_is_no_toolkit_to_look_for(tree: Tree) -> None:
    found = collect(tree.host(), REQUEST)

    assert found.nvidia_runtime.absent == "not_applicable"
    assert found.nvidia_visible_devices.absent == "not_applicable"


def test_this_machine_is_read() -> None:
    found = collect(LocalHost(), REQUEST)

    assert found.container.known
    assert found.wsl.known
