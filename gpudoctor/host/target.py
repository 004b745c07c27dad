"""Which Python interpreter the workload runs under: the one whose torch is examined, never our own by accident."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Request
from gpudoctor.lazy_pattern import lazy_pattern

_PYTHON_NAMES = ("python3", "python")
_WRAPPERS = frozenset({"env", "exec", "nohup", "time", "sudo", "numactl"})
_ASSIGNMENT = lazy_pattern(r"[A-Za-z_]\w*=")
_HEAD_BYTES = 1024
# pip and uv write this second line when the interpreter's path is too long for the kernel's "#!".
_LONG_SHEBANG = lazy_pattern(r"^'''exec' \"?([^\"\n]+?)\"? \"\$0\"", re.MULTILINE)


class Target(Struct, frozen=True):
    """An interpreter and how it was found. `problem` is "" or says why it cannot be the one."""

    executable: str  # absolute; links are not resolved, because a virtual environment's python is one
    chosen_by: str  # option | launch_command | virtual_env | path | own
    problem: str = ""


def choose_python(host: Host, request: Request) -> Target:
    """The interpreter of --python, of the launch command, of the active environment, on PATH, or our own.

    Only an explicit choice can have a problem; the others are passed over where they do not exist.
    """
    files = host.unrooted
    env = request.environment(host)
    if request.python:
        named = request.workload.interpreter.or_none() == request.python
        return _explicit(files, request.python, "launch_command" if named else "option", env)
    for chosen_by, executable in _candidates(files, request, env):
        if files.may_run(executable):
            return Target(executable, chosen_by)
    return Target(sys.executable, "own")


def _explicit(files: Host, python: str, chosen_by: str, env: Mapping[str, str]) -> Target:
    if "/" not in python:
        for executable in _on_path(files, python, env):
            return Target(executable, chosen_by)
    if python.startswith("~/") and env.get("HOME"):
        python = env["HOME"] + python[1:]
    path = _absolute(python)
    if files.may_run(path):
        return Target(path, chosen_by)
    for name in _PYTHON_NAMES:
        inside = f"{path}/bin/{name}"
        if files.may_run(inside):
            return Target(inside, chosen_by)
    return Target(path, chosen_by, _problem(files, path))


def _absolute(path: str) -> str:
    """Without resolving links; from the root where the current folder is gone."""
    try:
        return os.path.abspath(path)  # noqa: PTH100
    except FileNotFoundError:
        return os.path.normpath(f"/{path}")


def _problem(files: Host, path: str) -> str:
    try:
        files.list_dir(path)
    except HostError as error:
        if error.reason == "not_applicable" and not files.exists(path):
            return f"{path} does not exist"
        return f"{path} may not be executed by this user"
    return f"{path} is a folder without bin/python3"


def _candidates(files: Host, request: Request, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for executable in _of_launch_command(files, request, env):
        yield "launch_command", executable
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = env.get(variable, "")
        if prefix.startswith("/"):
            for name in _PYTHON_NAMES:
                yield "virtual_env", f"{prefix.rstrip('/')}/bin/{name}"
    for name in _PYTHON_NAMES:
        for executable in _on_path(files, name, env):
            if not _is_own_tool_environment(files, executable):
                yield "path", executable


def _of_launch_command(files: Host, request: Request, env: Mapping[str, str]) -> Iterator[str]:
    """The interpreter in the first line of the script that the launch command starts (`vllm`, `torchrun`)."""
    command = request.workload.command.or_none()
    if not command:
        return
    import shlex  # seldom needed

    try:
        words = shlex.split(command)
    except ValueError:
        return
    for word in words:
        if _ASSIGNMENT.match(word) or word in _WRAPPERS:
            continue
        for script in _on_path(files, word, env):
            yield from _shebang(files, script, env)
            return
        return


def _shebang(files: Host, script: str, env: Mapping[str, str]) -> Iterator[str]:
    try:
        head = files.read_at(script, 0, _HEAD_BYTES).decode("utf-8", "replace")
    except HostError:
        return
    if not head.startswith("#!"):
        return
    first = head[2:].split("\n", 1)[0].split()
    long = _LONG_SHEBANG.search(head)
    if long is not None:
        first = [long[1]]
    if first[:1] == ["/usr/bin/env"]:
        first = [path for name in first[1:2] for path in _on_path(files, name, env)]
    if first and PurePosixPath(first[0]).name.startswith(("python", "pypy")):
        yield first[0]


def _on_path(files: Host, name: str, env: Mapping[str, str]) -> Iterator[str]:
    """Every executable of this name on PATH, in order; a name with a slash is itself."""
    if "/" in name:
        folders, name = [os.path.dirname(_absolute(name))], os.path.basename(name)  # noqa: PTH119, PTH120
    else:
        folders = [folder for folder in env.get("PATH", os.defpath).split(":") if folder.startswith("/")]
    for folder in folders:
        path = f"{folder.rstrip('/')}/{name}"
        if files.may_run(path):
            yield path


def _is_own_tool_environment(files: Host, executable: str) -> bool:
    """Whether this is the environment that uvx or pipx made for gpudoctor alone, and put on PATH for it."""
    if sys.prefix == sys.base_prefix or os.path.dirname(executable) != f"{sys.prefix}/bin":  # noqa: PTH120
        return False
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return not files.exists(f"{sys.prefix}/lib/{version}/site-packages/torch")
