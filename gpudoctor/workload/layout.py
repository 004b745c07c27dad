"""The launch command taken apart: which program stands where, what it was given, and where a change would go.

A layout describes one simple command. What a shell (`bash -c '...'`) starts is a layout of its own inside that word.
"""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.workload.scan import Scan
from gpudoctor.workload.words import Word


class Assignment(Struct, frozen=True):
    """NAME=value for the environment; the value is None where it is not written in the command itself."""

    name: str
    value: str | None
    start: int  # of the text that a removal takes away: the option -e where there is one
    end: int
    word_start: int
    prefix: str = ""  # --env= where it is written in one word


class Barrier(Struct, frozen=True):
    """Where variables have to be given so that they reach the program behind sudo, docker run or ssh."""

    kind: str  # option (-e NAME=value) | assign (NAME=value) | env (env NAME=value)
    offset: int


class Layout(Struct, kw_only=True):
    """One simple command of `text`."""

    text: str
    words: tuple[Word, ...]
    scans: list[Scan]
    assignments: list[Assignment]  # those that reach the program
    lost: list[tuple[str, str]]  # name and the program that does not pass it on
    unset: list[str]
    clean_environment: bool = False
    filtered_by: str = ""  # the program that drops the shell's variables: sudo
    kept: tuple[str, ...] = ()  # those that it was told to keep
    elsewhere: str = ""  # the program that starts the run in another environment: ssh, kubectl exec, docker exec
    front: int = 0  # offset at which NAME=value can be put
    program: int = 0  # offset of the program itself, where `env -u NAME` can be put
    barrier: Barrier | None = None
    image: str = ""
    in_container: bool = False
    interpreter: str = ""
    chooses_python: bool = False
    script: str = ""
    nested: Layout | None = None
    nested_word: Word | None = None

    def chain(self) -> list[Layout]:
        """This layout and those inside it, outermost first."""
        return [self, *(self.nested.chain() if self.nested else ())]

    @property
    def rank(self) -> int:
        """How sure it is that this is the launch command among several commands."""
        order = {"engine": 4, "launcher": 3, "script": 1}
        best = 0
        for layout in self.chain():
            for scan in layout.scans:
                sure = order.get(scan.spec.role, 0) if scan.spec.role != "script" or layout.script else 0
                best = max(best, sure, 2 if scan.spec.role == "script" and scan.hits else 0)
            best = max(best, 2 if layout.image else 0)
        return best
