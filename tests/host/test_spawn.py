"""Programs are started as subprocess would start them, and why one is not started is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gpudoctor.host.spawn import Program, start

ENV = {"PATH": os.environ["PATH"], "NAME": "väl\udcff ue"}
# What a new process can tell of itself.
TELL = """
import json, os, signal, sys
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "argv": sys.argv[1:],
    "name": os.environb[b"NAME"].hex(),
    "variables": sorted(name for name in os.environ if name != "LC_CTYPE"),
    "descriptors": sorted(fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")),
    "stdin": os.readlink("/proc/self/fd/0"),
    "ignored": status["SigIgn"].strip(),
    "leads": os.getpgid(0) == os.getpid(),
    "cwd": os.getcwd(),
}))
"""


def told(program: Program) -> dict[str, object]:
    with os.fdopen(program.out) as out, os.fdopen(program.err) as err:
        text, errors = out.read(), err.read()
    assert program.wait(20.0) == 0, errors
    answer = json.loads(text)
    assert isinstance(answer, dict)
    return answer


def test_a_program_gets_what_subprocess_would_give_it() -> None:
    inherited, other = os.pipe()
    os.set_inheritable(inherited, True)  # as if our own caller had left it open
    argv = [sys.executable, "-S", "-c", TELL, "one", "two words", ""]
    try:
        ours = told(start(sys.executable, argv, ENV))
        theirs = json.loads(
            subprocess.run(
                argv, env=ENV, stdin=subprocess.DEVNULL, capture_output=True, check=True, preexec_fn=os.setpgrp
            ).stdout
        )
    finally:
        os.close(inherited)
        os.close(other)
    assert ours == theirs
    assert ours["argv"] == ["one", "two words", ""]
    assert ours["leads"] is True


def test_exit_codes_and_deaths_are_told() -> None:
    for code, status in (("raise SystemExit(5)", 5), ("import os; os.kill(os.getpid(), 9)", -9)):
        program = start(sys.executable, [sys.executable, "-S", "-c", code], ENV)
        assert program.wait(20.0) == status
        assert program.poll() == status
        os.close(program.out)
        os.close(program.err)


def test_waiting_ends_in_time() -> None:
    program = start("/bin/sleep", ["sleep", "60"], ENV)
    try:
        assert program.wait(0.05) is None
    finally:
        os.kill(program.pid, 9)
        assert program.wait(20.0) == -9
        os.close(program.out)
        os.close(program.err)


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone


@pytest.mark.parametrize("kind", [FileNotFoundError, PermissionError, OSError])
def test_what_cannot_be_started_raises_as_exec_does_and_leaves_nothing(kind: type[OSError], tmp_path: Path) -> None:
    file = tmp_path / "program"
    if kind is not FileNotFoundError:
        file.write_bytes(b"no program")
        file.chmod(0o755 if kind is OSError else 0o644)
    before = descriptors()
    with pytest.raises(kind) as caught:
        start(str(file), [str(file)], ENV)
    assert type(caught.value) is kind
    assert descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(("word", "env"), [("a\0b", ENV), ("a", {"A=B": "c"}), ("a", {"A": "b\0"})])
def test_what_no_program_can_be_given_is_refused_before_one_is_made(word: str, env: Mapping[str, str]) -> None:
    before = descriptors()
    with pytest.raises(ValueError, match="NUL"):
        start("/bin/true", ["true", word], env)
    assert descriptors() == before


def test_an_entry_of_the_environment_without_a_name_keeps_nothing_from_starting() -> None:
    argv = [sys.executable, "-S", "-c", TELL]
    assert told(start(sys.executable, argv, {**ENV, "": "x"})) == told(start(sys.executable, argv, ENV))
