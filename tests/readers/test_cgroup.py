"""Where limits of control groups are, on machines and in containers, in both versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.cgroup import GroupFolders, counter, group_folders, limit

UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate\n"
MEMORY_V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"


def test_version_2_goes_from_the_own_group_up_to_the_mount() -> None:
    found = group_folders("0::/user.slice/user-1000.slice/session-3.scope\n", UNIFIED, "memory")

    assert found == GroupFolders(
        2,
        (
            "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope",
            "/sys/fs/cgroup/user.slice/user-1000.slice",
            "/sys/fs/cgroup/user.slice",
            "/sys/fs/cgroup",
        ),
    )


def test_a_container_with_its_own_namespace_sees_its_group_as_the_top() -> None:
    assert group_folders("0::/\n", UNIFIED, "memory") == GroupFolders(2, ("/sys/fs/cgroup",))


def test_a_container_without_one_sees_the_machines_path_over_its_own_part() -> None:
    mount = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory\n"

    assert group_folders("8:memory:/docker/abc\n", mount, "memory") == GroupFolders(1, ("/sys/fs/cgroup/memory",))
    assert group_folders("8:memory:/docker/abc/inner\n", mount, "memory") == GroupFolders(
        1, ("/sys/fs/cgroup/memory/inner", "/sys/fs/cgroup/memory")
    )
    assert group_folders("8:memory:/elsewhere\n", mount, "memory") == GroupFolders(1, ("/sys/fs/cgroup/memory",))


def test_on_a_hybrid_machine_the_controller_is_where_version_1_has_it() -> None:
    cgroup = "9:name=systemd:/\n4:cpu,cpuacct:/\n3:memory:/job\n0::/\n"

    found = group_folders(cgroup, MEMORY_V1 + UNIFIED, "memory")

    assert found == GroupFolders(1, ("/sys/fs/cgroup/memory/job", "/sys/fs/cgroup/memory"))


@pytest.mark.parametrize(
    ("cgroup", "mounts"), [("", UNIFIED), ("0::/\n", ""), ("3:memory:/\n", UNIFIED), ("garbage\n", "garbage\n")]
)
def test_without_a_hierarchy_there_is_nothing(cgroup: str, mounts: str) -> None:
    assert group_folders(cgroup, mounts, "memory") is None


@pytest.mark.parametrize("path", ["/../../etc", "/a/../../b", "/x" * 200])
def test_a_path_that_leaves_the_mount_or_never_ends_is_not_followed(path: str) -> None:
    assert group_folders(f"0::{path}\n", UNIFIED, "memory") == GroupFolders(2, ("/sys/fs/cgroup",))


def test_limits() -> None:
    assert limit("max\n") is None
    assert limit("9223372036854771712") is None
    assert limit("34359738368") == 32 << 30
    with pytest.raises(ValueError, match=r".*"):
        limit("lots")


def test_counters() -> None:
    assert counter("low 0\noom 2\noom_kill 1\n", "oom_kill") == 1
    with pytest.raises(ValueError, match="oom_kill"):
        counter("oom_kill_disable 0\n", "oom_kill")


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_crashes_it_or_leaves_the_mount(cgroup: str, mountinfo: str) -> None:
    found = group_folders(cgroup + "\n0::" + cgroup, UNIFIED + mountinfo, "memory")

    assert found is None or not any(".." in folder.split("/") for folder in found.folders)
