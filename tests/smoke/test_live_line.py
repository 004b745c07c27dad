"""On a terminal a line says in which phase the ranks are; elsewhere stderr stays quiet."""

from __future__ import annotations

import os
import pty
import subprocess

from tests.smoke.runs import command, environment, needs_torch, python_with_torch

pytestmark = needs_torch


def stderr_on_a_terminal(*options: str) -> str:
    reader, terminal = pty.openpty()
    try:
        argv = command("--python", python_with_torch() or "", "--max-bytes", "4K", *options)
        process = subprocess.Popen(
            argv, env=environment(TERM="xterm", COLUMNS="200"), stdout=subprocess.DEVNULL, stderr=terminal
        )
        os.close(terminal)
        said = bytearray()
        while data := read(reader):
            said += data
        assert process.wait(60) == 0
        return said.decode()
    finally:
        os.close(reader)


def read(reader: int) -> bytes:
    try:
        return os.read(reader, 4096)
    except OSError:  # the other end of a terminal is closed
        return b""


def test_the_line_names_the_phase_and_is_gone_in_the_end() -> None:
    said = stderr_on_a_terminal()
    assert "nccl-test  import" in said
    assert "  0 of 2  " in said
    assert said.endswith("\r\x1b[K")


def test_quiet_has_no_line() -> None:
    assert stderr_on_a_terminal("--quiet") == ""


def test_without_a_terminal_nothing_is_said() -> None:
    argv = command("--python", python_with_torch() or "", "--max-bytes", "4K")
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
