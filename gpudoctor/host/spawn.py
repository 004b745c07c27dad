"""Start a program: its own process group, stdin closed, pipes for what it says, death with whoever started it.

`subprocess` does this with a function of ours between fork and exec, and loads three modules first, which takes as long
as running dmesg does. What is fork-safe there is what is done here.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from gpudoctor.host.new_process import close_all_but, die_with_parent, open_null

_NOT_STARTED: Final = 127
_RESET: Final = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores them, which programs would inherit
_LONGEST_PAUSE_S: Final = 0.02


class Program:
    """A program that was started. `out` and `err` are ours to read and to close."""

    def __init__(self, pid: int, out: int, err: int) -> None:
        self.pid = pid
        self.out = out
        self.err = err
        self.exit_code: int | None = None  # negative: the signal that ended it

    def poll(self) -> int | None:
        """The exit code, None where it still runs."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, None where it runs on after that time."""
        deadline = time.monotonic() + timeout_s
        pause_s = 0.0005
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return self.exit_code


def start(program: str, argv: Sequence[str], env: Mapping[str, str]) -> Program:
    """Start the file `program` without a shell.

    Raises OSError as exec does, and ValueError: a NUL in a word, or a variable's name that is none.
    """
    words = [os.fsencode(word) for word in argv]
    variables = _encoded(env)
    if any(b"\0" in word for word in words):
        raise ValueError("a word of the command has a NUL in it")
    ends: list[int] = []
    parent = os.getpid()
    try:
        for _ in range(3):
            ends += os.pipe()
        pid = os.fork()
    except OSError:
        _close(ends)
        raise
    out, out_end, err, err_end, failed, failed_end = ends
    if pid == 0:
        _become(program, words, variables, (parent, out_end, err_end, failed_end))
    _close((out_end, err_end, failed_end))
    number = os.read(failed, 16)  # nothing: the pipe was closed by the exec
    os.close(failed)
    if number:
        _close((out, err))
        os.waitpid(pid, 0)
        raise OSError(int(number), os.strerror(int(number)), program)
    return Program(pid, out, err)


def _encoded(env: Mapping[str, str]) -> dict[bytes, bytes]:
    for name, value in env.items():
        if "=" in name or "\0" in name or "\0" in value:
            raise ValueError(f"{name!r} cannot be a variable, or its value has a NUL in it")
    # An entry without a name, which an environment can have, is none that exec takes.
    return {os.fsencode(name): os.fsencode(value) for name, value in env.items() if name}


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _become(
    program: str, words: list[bytes], variables: dict[bytes, bytes], of_parent: tuple[int, int, int, int]
) -> NoReturn:
    """The new process, up to the program; never returns."""
    parent, out, err, failed = of_parent
    try:
        os.setpgrp()
        die_with_parent(parent)
        for number in _RESET:
            signal.signal(number, signal.SIG_DFL)
        for stream, descriptor in enumerate((open_null(), out, err)):
            os.dup2(descriptor, stream)
        close_all_but(failed)
        os.execve(program, words, variables)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        os.write(failed, str(error.errno).encode())
    finally:
        os._exit(_NOT_STARTED)
