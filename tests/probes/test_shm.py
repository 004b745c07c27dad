"""The shared memory mount and what is left in it."""

from __future__ import annotations

import os

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.probes.shm import collect
from tests.probes.tree import REQUEST, Tree


@pytest.fixture
def mount(tree: Tree) -> Tree:
    tree.file("/dev/shm.statvfs", "67108864 1048576\n")
    tree.folder("/dev/shm")
    return tree


def test_size_and_free_space(mount: Tree) -> None:
    shm = collect(mount.host(), REQUEST)

    assert (shm.size_bytes.value, shm.free_bytes.value) == (64 << 20, 1 << 20)
    assert shm.writable.value is True
    assert (shm.stale_nccl_files.value, shm.stale_nccl_bytes.value) == (0, 0)


def test_segments_that_no_process_maps_are_stale(mount: Tree) -> None:
    for name in ("nccl-AbC123", "nccl-dead01", "nccl-dead02", "torch_1234", "nccl-"):
        mount.file(f"/dev/shm/{name}", b"x" * 10)
    mount.file("/proc/1/maps", "7f00-7f10 rw-s 00000000 00:19 5    /dev/shm/nccl-AbC123\n")
    mount.file("/proc/2/maps", "7f00-7f10 rw-s 00000000 00:19 6    /dev/shm/nccl-dead01 (deleted)\n")

    shm = collect(mount.host(), REQUEST)

    assert shm.stale_nccl_files.value == 2
    assert shm.stale_nccl_bytes.value == 20


def test_a_mount_shared_with_unseen_processes_is_not_judged(mount: Tree) -> None:
    mount.file("/dev/shm/nccl-AbC123", b"x")
    mount.link("/proc/self/ns/ipc", "ipc:[4026531839]")
    mount.link("/proc/self/ns/pid", "pid:[4026532999]")

    assert collect(mount.host(), REQUEST).stale_nccl_files.absent == "not_supported"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_segments_of_other_users_are_not_judged(mount: Tree) -> None:
    mount.file("/dev/shm/nccl-AbC123", b"x").chmod(0)

    assert collect(mount.host(), REQUEST).stale_nccl_files.absent == "no_permission"


def test_a_machine_without_the_mount(tree: Tree) -> None:
    assert collect(tree.host(), REQUEST).size_bytes.absent == "not_applicable"


def test_this_machine_agrees_with_statvfs() -> None:
    stats = os.statvfs("/dev/shm")

    assert collect(LocalHost(), REQUEST).size_bytes.value == stats.f_blocks * stats.f_frsize
