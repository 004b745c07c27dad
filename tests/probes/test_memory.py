"""Host memory and the control group that is met first."""

from __future__ import annotations

from gpudoctor.host import LocalHost
from gpudoctor.probes.memory import collect
from tests.probes.tree import REQUEST, Tree
from tests.readers.test_cgroup import MEMORY_V1, UNIFIED

GIB = 1 << 30


def test_a_machine_without_limits(tree: Tree) -> None:
    tree.file("/proc/meminfo", "MemTotal: 65536000 kB\nMemAvailable: 1024 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    tree.file("/proc/self/cgroup", "0::/\n")
    tree.file("/proc/self/mountinfo", UNIFIED)

    memory = collect(tree.host(), REQUEST)

    assert memory.total_bytes.value == 65536000 * 1024
    assert memory.available_bytes.value == 1 << 20
    assert memory.swap_total_bytes.value == 0
    assert memory.limit_bytes.absent == "not_applicable"


def test_the_smallest_limit_on_the_way_up_and_its_use_without_page_cache(tree: Tree) -> None:
    tree.file("/proc/self/cgroup", "0::/pod/container\n")
    tree.file("/proc/self/mountinfo", UNIFIED)
    tree.file("/sys/fs/cgroup/pod/container/memory.max", f"{64 * GIB}\n")
    tree.file("/sys/fs/cgroup/pod/memory.max", f"{32 * GIB}\n")
    tree.file("/sys/fs/cgroup/pod/memory.current", f"{31 * GIB}\n")
    tree.file("/sys/fs/cgroup/pod/memory.stat", f"anon 5\ninactive_file {20 * GIB}\n")
    tree.file("/sys/fs/cgroup/pod/memory.events", "oom 3\noom_kill 2\n")

    memory = collect(tree.host(), REQUEST)

    assert memory.limit_bytes.value == 32 * GIB
    assert memory.limit_used_bytes.value == 11 * GIB
    assert memory.cgroup_oom_kills.value == 2
    assert "pod" not in memory.limit_bytes.source


def test_version_1_names(tree: Tree) -> None:
    tree.file("/proc/self/cgroup", "3:memory:/docker/abc\n")
    tree.file("/proc/self/mountinfo", MEMORY_V1)
    tree.file("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", str(8 * GIB))
    tree.file("/sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", str(GIB))
    tree.file("/sys/fs/cgroup/memory/docker/abc/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1")
    tree.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")

    memory = collect(tree.host(), REQUEST)

    assert memory.limit_bytes.value == 8 * GIB
    assert memory.limit_used_bytes.value == GIB
    assert memory.cgroup_oom_kills.value == 1


def test_an_absence_does_not_name_the_group(tree: Tree) -> None:
    tree.file("/proc/self/cgroup", "0::/user.slice/someone.service\n")
    tree.file("/proc/self/mountinfo", UNIFIED)

    kills = collect(tree.host(), REQUEST).cgroup_oom_kills

    assert kills.absent == "not_applicable"
    assert "someone" not in kills.detail + kills.source


def test_this_machine_has_memory() -> None:
    memory = collect(LocalHost(), REQUEST)

    assert (memory.total_bytes.or_none() or 0) > (memory.available_bytes.or_none() or 0) > 0
