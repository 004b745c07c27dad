"""The interpreter under examination as it describes itself: asked once, used by several probes."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from gpudoctor.host.access import Command, Host, HostError
from gpudoctor.host.probe import Request
from gpudoctor.host.pyenv import behind_shim
from gpudoctor.host.target import Target, choose_python
from gpudoctor.readers.target_answer import Answer, last, parse

SCRIPTS = Path(__file__).parent / "_target"
_DEADLINE_S = 8.0
_MAX_DETAIL = 300


class Installed(Struct, frozen=True):
    """An installed distribution. `name` is normalised as PEP 503 says."""

    name: str
    version: str
    folder: str


class Claim(Struct, frozen=True):
    """A libnccl file that a distribution's RECORD lists; several distributions may list the same."""

    distribution: str
    version: str
    path: str


class TorchFiles(Struct, frozen=True):
    """The torch that an import would take, by its files."""

    folder: str
    version_py: str
    requires_nccl: tuple[str, ...]  # "nvidia-nccl-cu12==2.27.5; platform_system == ..."


class Interpreter(Struct, frozen=True):
    """What the target said. Paths are real ones, not shortened."""

    target: Target
    version: str
    prefix: str
    base_prefix: str
    binary: str  # of the running process, behind links and shims
    path: tuple[str, ...]
    installed: tuple[Installed, ...]
    claims: tuple[Claim, ...]
    torch: TorchFiles | None

    def first(self, *names: str) -> Installed | None:
        """The distribution that an import would take: the first on sys.path."""
        return next((item for item in self.installed if item.name in names), None)


_answers: dict[tuple[Host, str, tuple[tuple[str, str], ...]], Interpreter | HostError] = {}


def chosen(host: Host, request: Request) -> Target:
    """The target. Raises HostError: tool_missing, where the explicit choice cannot be an interpreter."""
    target = choose_python(host, request)
    if target.problem:
        raise HostError("tool_missing", target.problem)
    return target


def describe(host: Host, request: Request) -> Interpreter:
    """Ask the target about itself; the answer, also a failure, is kept for the other probes of this process.

    Raises HostError: tool_missing (no such interpreter), no_permission, timeout, failed.
    """
    target = chosen(host, request)
    key = (host, target.executable, tuple(sorted(request.environment(host).items())))
    if key not in _answers:
        try:
            _answers[key] = _ask(host, request, target)
        except HostError as error:
            _answers[key] = error
    answer = _answers[key]
    if isinstance(answer, HostError):
        raise answer
    return answer


def _ask(host: Host, request: Request, target: Target) -> Interpreter:
    if request.quick:
        from gpudoctor.probes._own_interpreter import describe_ourselves

        own = describe_ourselves(
            host, request, behind_shim(host.unrooted, target.executable, request.environment(host))
        )
        interpreter = from_answer(target, own) if own is not None else None
        if interpreter is not None:
            return interpreter
    command = run_script(host, request, target, "describe.py", _DEADLINE_S)
    interpreter = from_answer(target, parse(command.stdout))
    if interpreter is None:
        raise no_python(target, command)
    return interpreter


def run_script(host: Host, request: Request, target: Target, script: str, deadline_s: float) -> Command:
    """Run a script of `_target` under the target, with the workload's environment. Raises HostError."""
    # -B: examining an environment leaves no __pycache__ there.
    env = request.environment(host)
    argv = [behind_shim(host.unrooted, target.executable, env), "-B", str(SCRIPTS / script)]
    return host.run(argv, timeout_s=request.seconds_left(deadline_s), env=env)


def no_python(target: Target, command: Command) -> HostError:
    """What a program said that does not answer as an interpreter would."""
    said = " ".join(command.stderr.split()[-40:])[-_MAX_DETAIL:]
    return HostError("failed", f"{target.executable} does not work as a Python 3.8 or newer: {said or 'no answer'}")


def from_answer(target: Target, answer: Answer) -> Interpreter | None:
    """What a script told; None where it did not come to that."""
    version = last(answer, "version")
    if version is None:
        return None
    return Interpreter(
        target=target,
        version=version,
        prefix=last(answer, "prefix") or "",
        base_prefix=last(answer, "prefix", 1) or "",
        binary=last(answer, "executable") or target.executable,
        path=tuple(fields[0] for fields in answer.get("path", []) if fields[0].startswith("/")),
        installed=tuple(Installed(normal(f[0]), f[1], f[2]) for f in answer.get("distribution", []) if len(f) == 3),
        claims=tuple(Claim(normal(f[0]), f[1], f[2]) for f in answer.get("claim", []) if len(f) == 3),
        torch=_torch(answer),
    )


def normal(name: str) -> str:
    """A distribution's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _torch(answer: Answer) -> TorchFiles | None:
    folder, origin = last(answer, "torch"), last(answer, "torch", 1)
    if not folder or not origin:
        return None  # not installed, or a folder called torch that is no package
    beside = str(Path(folder).parent)
    requirements = [fields for fields in answer.get("torch_requires", []) if len(fields) == 2]
    own = [text for where, text in requirements if where == beside] or [text for _, text in requirements]
    return TorchFiles(folder, last(answer, "torch_version_py") or "", tuple(own))
