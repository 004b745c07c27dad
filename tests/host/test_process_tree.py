"""Who belongs to a command, what they move, and which rank they are: on real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gpudoctor.host.process_tree import Process, descendants, is_python, rank_of
from gpudoctor.host.stacks import dump_stacks

_TREE = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"])
with open("/dev/zero", "rb") as zero:
    zero.read(50_000_000)
print("read", flush=True)
time.sleep(60)
"""


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", _TREE], stdout=subprocess.PIPE, env={**os.environ, "RANK": "7"})
    assert process.stdout is not None
    said = {process.stdout.readline(), process.stdout.readline()}
    assert said == {b"up\n", b"read\n"}
    yield process
    for one in reversed(descendants(process.pid)):
        os.kill(one.pid, 9)
    process.communicate()


def test_children_belong_to_it_with_their_rank_and_what_they_moved(tree: subprocess.Popen[bytes]) -> None:
    found = descendants(tree.pid)
    assert found[0].pid == tree.pid
    assert len(found) == 2
    assert found[0].rank == found[1].rank == 7
    assert found[0].moved_bytes >= 50_000_000
    assert found[1].moved_bytes < 50_000_000
    assert all(is_python(one.pid) for one in found)
    assert os.getpid() not in {one.pid for one in found}


def test_what_is_gone_has_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    time.sleep(0.01)
    assert descendants(process.pid) == ()
    assert rank_of(process.pid) == -1


def test_stacks_name_rank_and_process_also_without_py_spy(
    tree: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpudoctor.host.stacks._py_spy", lambda: "")
    text, problem = dump_stacks(descendants(tree.pid))
    assert text.count("[rank7]: == process ") == 2
    assert f"== process {tree.pid} (python" in text
    assert "py-spy is not installed" in problem


def test_a_py_spy_that_fails_is_told(tree: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudoctor.host.stacks._py_spy", lambda: "/bin/false")
    _, problem = dump_stacks([Process(tree.pid, "python", "S")])
    assert problem == "py-spy: failed"
