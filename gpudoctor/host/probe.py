"""What a probe is. A module in `gpudoctor.probes` with a `PROBE` constant is a probe; there is no list."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from gpudoctor.host.access import Host
from gpudoctor.model.facts.section import Section
from gpudoctor.model.facts.workload import Workload

_TO_ANSWER_S = 0.5  # between the end of a hung command and the end of the examination
# Where the run gets none of the shell's variables we still examine this machine's interpreter, which needs its own.
_KEPT_FOR_OURSELVES = ("PATH", "HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "LANG", "TMPDIR")


class Request(Struct, frozen=True):
    """What the user asked for, as far as probes need it."""

    python: str | None = None  # --python, or the interpreter named by the launch command
    launch_env: tuple[tuple[str, str], ...] = ()  # leading VAR=value of the launch command, docker -e
    unset: tuple[str, ...] = ()  # taken out by the launch command: env -u, unset
    clean_environment: bool = False  # env -i
    passed: tuple[str, ...] = ()  # what a container, or sudo, lets through: docker run -e NAME, --preserve-env=NAME
    undecided: tuple[str, ...] = ()  # set by the launch command to what only the shell will know: NAME=$OTHER
    filtered_by: str = ""  # the program that drops the shell's variables: sudo
    elsewhere: str = ""  # the program that starts the run in another environment: ssh
    workload: Workload = field(default_factory=Workload)
    quick: bool = False  # nothing that imports torch
    skip_calls: frozenset[str] = frozenset()  # library functions that hung or crashed in an earlier attempt
    deadline: float | None = None  # when the examination ends, time.monotonic()

    def environment(self, host: Host) -> dict[str, str]:
        """The environment that the workload's process would get."""
        kept = _KEPT_FOR_OURSELVES if self.only_passed else ()
        own = {name: host.environ[name] for name in kept if name in host.environ}
        return {**own, **self.inherited(host.environ), **dict(self.launch_env)}

    @property
    def only_passed(self) -> bool:
        """Whether of the shell's variables only those in `passed` are sure to reach the run."""
        return self.workload.container.known or bool(self.filtered_by or self.elsewhere)

    def inherited(self, shell: Mapping[str, str]) -> dict[str, str]:
        """The shell's variables that the launch command lets through."""
        if self.only_passed:
            return {name: shell[name] for name in self.passed if name in shell}
        if self.clean_environment:
            return {}
        # What only the shell will know (`NAME=$OTHER`) is at any rate not what it is there now.
        gone = {*self.unset, *self.undecided}
        return {name: value for name, value in shell.items() if name not in gone}

    def home(self, host: Host) -> str:
        """The home folder, which is not shown; "" where there is none."""
        return dict(self.launch_env).get("HOME") or host.environ.get("HOME", "")

    def seconds_left(self, at_most: float) -> float:
        """Time for a command of a probe that wants to answer even when that command hangs."""
        if self.deadline is None:
            return at_most
        return max(0.1, min(at_most, self.deadline - time.monotonic() - _TO_ANSWER_S))


class Probe(Struct, frozen=True):
    """A source of facts.

    `isolated` probes run in a forked child with a deadline, because what they call can hang, crash or corrupt its
    process. `marker`: the child names the library function it is about to call, so that a hang or crash names it and
    a second attempt can leave it out (`Request.skip_calls`).
    """

    name: str  # that of its section in `Facts`
    section: type[Section]
    collect: Callable[[Host, Request], Section]
    timeout_s: float = 5.0
    isolated: bool = False
    marker: bool = False
    first_calls: frozenset[str] = frozenset()  # library functions that may initialise every GPU
    slow: bool = False  # left out by --quick
    harmless_when_quick: bool = False  # what it isolates it leaves out with --quick
    last_when_quick: bool = False  # with --quick it comes last in a child of others, where nobody waits for it
    after: str = ""  # with --quick it comes in the child of that probe, which ends long before the others
    stands_in_for: str = ""  # with --quick it waits for that probe, and is left out where it is not needed
    is_complete: Callable[[Section], bool] = bool  # what it brought leaves nothing to those that stand in for it
    starts_first: bool = False  # takes longest, so everything else runs beside it
    asks_target: bool = False  # waits for the target interpreter: those that do wait together, and for nobody else
