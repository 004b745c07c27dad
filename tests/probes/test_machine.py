"""The computer around the GPUs."""

from __future__ import annotations

import os
import platform

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.probes.machine import collect
from tests.probes.tree import REQUEST, Tree
from tests.readers.test_cgroup import UNIFIED
from tests.readers.test_cpuinfo import X86

EFI = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def test_a_server(tree: Tree) -> None:
    tree.file("/etc/os-release", 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n')
    tree.file("/proc/sys/kernel/osrelease", "6.8.0-48-generic\n")
    tree.file("/proc/cpuinfo", X86)
    tree.file("/proc/cmdline", "root=/dev/sda1 iommu=pt quiet\n")
    tree.file("/proc/self/status", "Name:\tbash\nUid:\t1000\t0\t1000\t1000\nCpus_allowed_list:\t0-3\n")
    tree.file("/sys/devices/system/cpu/online", "0-7\n")
    tree.file("/sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0-1,4-5\n")
    tree.file("/sys/devices/system/cpu/cpu2/topology/core_siblings_list", "2-3,6-7\n")
    tree.file("/sys/devices/system/node/has_cpu", "0-1\n")
    tree.file("/sys/class/dmi/id/board_vendor", "Supermicro\n")
    tree.file("/sys/class/dmi/id/board_name", "H12DSG-O-CPU\n")
    tree.file(EFI, b"\x06\x00\x00\x00\x01")
    tree.file(
        "/lib64/libc.so.6", b"\0" * 5000 + b"GNU C Library (Ubuntu GLIBC 2.39-0ubuntu8) stable release version 2.39.\n"
    )

    machine = collect(tree.host(), REQUEST)

    assert machine.os.value == "Ubuntu 24.04.1 LTS"
    assert machine.kernel.value == "6.8.0-48-generic"
    assert machine.architecture.value == "x86_64"
    assert machine.glibc.value == "2.39"
    assert machine.cpu_vendor.value == "intel"
    assert machine.cpu_model.value == "Intel(R) Xeon(R) Platinum 8480C"
    assert (machine.cpus.value, machine.cpus_allowed.value) == (8, 4)
    assert (machine.sockets.value, machine.numa_nodes.value) == (2, 2)
    assert machine.cmdline.value == "iommu=pt"
    assert machine.board.value == "Supermicro H12DSG-O-CPU"
    assert machine.secure_boot.value is True
    assert machine.root.value is True


def test_nothing_to_see_is_absent_field_by_field(tree: Tree) -> None:
    machine = collect(tree.host(), REQUEST)

    for name in machine.__struct_fields__:
        assert not getattr(machine, name).known, name


@pytest.mark.parametrize(("quota", "allowed"), [("150000 100000", 2), ("max 100000", 4), ("800000 100000", 4)])
def test_a_quota_of_the_control_group_counts_as_cpus(tree: Tree, quota: str, allowed: int) -> None:
    tree.file("/proc/self/status", "Cpus_allowed_list:\t0-3\n")
    tree.file("/proc/self/cgroup", "0::/a\n")
    tree.file("/proc/self/mountinfo", UNIFIED)
    tree.file("/sys/fs/cgroup/a/cpu.max", quota)

    assert collect(tree.host(), REQUEST).cpus_allowed.value == allowed


def test_a_quota_in_version_1(tree: Tree) -> None:
    tree.file("/proc/self/status", "Cpus_allowed_list:\t0-3\n")
    tree.file("/proc/self/cgroup", "4:cpu,cpuacct:/\n")
    tree.file("/proc/self/mountinfo", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n")
    tree.file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000")
    tree.file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")

    assert collect(tree.host(), REQUEST).cpus_allowed.value == 2


def test_sockets_come_from_cpuinfo_where_sys_does_not_tell(tree: Tree) -> None:
    tree.file("/sys/devices/system/cpu/online", "0-1")
    tree.file("/proc/cpuinfo", X86)

    assert collect(tree.host(), REQUEST).sockets.value == 2


@pytest.mark.parametrize(
    ("board", "system", "expected"),
    [
        (("ASUS", "ProArt X670E"), ("x", "y"), "ASUS ProArt X670E"),
        (("To Be Filled By O.E.M.", "ProArt X670E"), ("x", "y"), "ProArt X670E"),
        (("To Be Filled By O.E.M.", "To Be Filled By O.E.M."), ("ASRock", "ROMED8"), "ASRock ROMED8"),
        (("", ""), ("Default string", "Default string"), None),
    ],
)
def test_a_board_is_named_only_where_the_firmware_names_one(
    tree: Tree, board: tuple[str, str], system: tuple[str, str], expected: str | None
) -> None:
    for name, value in zip(
        ("board_vendor", "board_name", "sys_vendor", "product_name"), (*board, *system), strict=True
    ):
        tree.file(f"/sys/class/dmi/id/{name}", value)

    assert collect(tree.host(), REQUEST).board.or_none() == expected


@pytest.mark.parametrize(("folder", "value", "reason"), [("acpi", False, None), ("efi", None, "not_supported")])
def test_no_efi_is_no_secure_boot_but_a_hidden_folder_is_unknown(
    tree: Tree, folder: str, value: bool | None, reason: str | None
) -> None:
    tree.folder(f"/sys/firmware/{folder}")

    secure = collect(tree.host(), REQUEST).secure_boot

    assert (secure.or_none(), secure.absent) == (value, reason)


def test_this_machine_agrees_with_python() -> None:
    machine = collect(LocalHost(), REQUEST)

    assert machine.kernel.value == platform.release()
    assert machine.architecture.or_none() in {platform.machine(), None}
    assert (machine.cpus_allowed.or_none() or 1) <= len(os.sched_getaffinity(0))
    assert machine.root.value is (os.geteuid() == 0)
    if platform.libc_ver()[0] == "glibc":
        assert machine.glibc.value == platform.libc_ver()[1]
