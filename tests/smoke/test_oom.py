"""A rank that the kernel kills for memory is told from one that somebody else killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpudoctor.host import LocalHost
from gpudoctor.smoke.oom import oom_kills
from tests.smoke.runs import FAULTY, needs_torch, run

V1 = Path("/sys/fs/cgroup/memory")
V2 = Path("/sys/fs/cgroup")
LIMIT_BYTES = 1 << 30


def machine(folder: Path, files: dict[str, str]) -> LocalHost:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return LocalHost(root=str(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/memory.events": "low 0\noom 5\noom_kill 3\n"},
        {
            "proc/self/cgroup": "4:cpu:/a\n3:memory:/job\n0::/\n",
            "sys/fs/cgroup/memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        },
        {"proc/self/cgroup": "0::/\n", "proc/vmstat": "oom_kill_x 9\noom_kill 3\n"},
        {"proc/vmstat": "oom_kill 3\n"},
    ],
    ids=["version 2", "version 1", "whole machine", "no cgroups"],
)
def test_kills_are_counted_where_the_kernel_counts_them(files: dict[str, str], tmp_path: Path) -> None:
    assert oom_kills(machine(tmp_path, files)) == 3


@pytest.mark.parametrize("text", ["", "oom_kill\n", "oom_kill x\n"])
def test_what_says_nothing_counts_nothing(text: str, tmp_path: Path) -> None:
    assert oom_kills(machine(tmp_path, {"proc/vmstat": text})) == 0


@pytest.fixture
def limited() -> Iterator[Path]:
    """A memory cgroup of 1 GiB, of whichever version is here."""
    base, limit = (V1, "memory.limit_in_bytes") if (V1 / "memory.oom_control").exists() else (V2, "memory.max")
    group = base / f"gpudoctor-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(LIMIT_BYTES))
    except OSError:
        if group.exists():
            group.rmdir()
        pytest.skip("cgroups may not be made here")
    yield group
    group.rmdir()


@needs_torch
def test_a_rank_that_outgrows_its_cgroup_is_out_of_host_memory(limited: Path) -> None:
    enter = f'echo $$ > {limited}/cgroup.procs && exec "$@"'
    done = run(prefix=["sh", "-c", enter, "sh"], worker=FAULTY, FAULT="grow", FAULT_PHASE="correctness")
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("crash", "correctness", 1)
    assert (done.finding["cause"], done.finding["subject"]) == ("host_ram", "rank:1")
    assert done.leftovers == ()
