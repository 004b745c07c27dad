"""Limits of this process as facts."""

from __future__ import annotations

import resource

from gpudoctor.host import LocalHost
from gpudoctor.probes.limits import collect
from tests.probes.tree import REQUEST, Tree
from tests.readers.test_cgroup import UNIFIED
from tests.readers.test_limits import TEXT


def test_limits_with_unlimited_as_minus_one_and_what_is_missing_named(tree: Tree) -> None:
    tree.file("/proc/self/limits", TEXT)

    limits = collect(tree.host(), REQUEST)

    assert limits.memlock_bytes.value == 8388608
    assert limits.nofile.value == 1024
    assert limits.address_space_bytes.value == -1
    assert limits.nproc.absent == "parse_error"
    assert limits.pids_max.absent == "not_applicable"


def test_the_smallest_number_of_tasks_on_the_way_up_counts(tree: Tree) -> None:
    tree.file("/proc/self/cgroup", "0::/a/b\n")
    tree.file("/proc/self/mountinfo", UNIFIED)
    tree.file("/sys/fs/cgroup/a/b/pids.max", "max\n")
    tree.file("/sys/fs/cgroup/a/pids.max", "512\n")

    assert collect(tree.host(), REQUEST).pids_max.value == 512


def test_groups_that_do_not_limit_tasks_are_unlimited(tree: Tree) -> None:
    tree.file("/proc/self/cgroup", "0::/\n")
    tree.file("/proc/self/mountinfo", UNIFIED)

    assert collect(tree.host(), REQUEST).pids_max.value == -1


def test_this_machine_agrees_with_getrlimit() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert collect(LocalHost(), REQUEST).nofile.value == (-1 if soft == resource.RLIM_INFINITY else soft)


def test_a_machine_that_shows_no_limits_is_absent(tree: Tree) -> None:
    assert collect(tree.host(), REQUEST).nofile.absent == "not_applicable"
