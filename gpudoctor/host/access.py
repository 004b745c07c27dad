"""The interface to a machine, and the one error it raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from gpudoctor.model.fact import Fact, Reason, absent

T = TypeVar("T")

MAX_READ_BYTES = 1 << 20
MAX_OUTPUT_BYTES = 8 << 20


class HostError(Exception):
    """Something could not be had; `reason` is the reason of the absent fact that follows from it.

    `stdout` and `stderr` are what a program had said when its time ran out: its last words tell where it hangs.
    """

    def __init__(self, reason: Reason, detail: str, stdout: str = "", stderr: str = "") -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
        self.stdout = stdout
        self.stderr = stderr

    def fact(self, source: str) -> Fact[T]:
        """The absence that this error means."""
        return absent(self.reason, self.detail, source)


class Command(Struct, frozen=True):
    """A finished command. Output is decoded with replacement and bounded to MAX_OUTPUT_BYTES."""

    exit_code: int
    stdout: str
    stderr: str


class DiskUsage(Struct, frozen=True):
    """Size and free space of the file system that holds a path."""

    total_bytes: int
    free_bytes: int


class Host(Protocol):
    """A machine, local or replayed. Every method raises HostError and nothing else."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that the user's shell gave us."""

    @property
    def live(self) -> bool:
        """Whether this is the machine that we run on (libraries can be loaded, processes signalled)."""

    @property
    def unrooted(self) -> Host:
        """The machine as the programs that `run` starts see it: paths that they print are read here.

        Differs from this host only where its root is mounted somewhere (`GPUDOCTOR_ROOT`).
        """

    def run(self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Command:
        """Run a program without a shell, with stdin closed. `env` replaces the environment.

        Raises HostError: tool_missing, no_permission, timeout (with what the program had said by then), failed.
        """

    def read(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes:
        """At most the first `max_bytes` of a file. Raises HostError: not_applicable (no such file), no_permission."""

    def read_at(self, path: str, offset: int, size: int) -> bytes:
        """At most `size` bytes of a regular file from `offset`; fewer at its end, none behind it.

        Raises HostError: not_applicable, no_permission, failed (a folder, a pipe, a device).
        """

    def read_text(self, path: str) -> str:
        """A small text file, stripped, decoded with replacement."""

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder."""

    def real_path(self, path: str) -> str:
        """The path with every link resolved, as the machine itself would name it."""

    def read_link(self, path: str) -> str:
        """What a symbolic link says, unresolved; it may name nothing (`pid:[4026531836]`)."""

    def file_size(self, path: str) -> int:
        """Length of a file in bytes."""

    def exists(self, path: str) -> bool:
        """Whether there is anything at `path`."""

    def may_open(self, path: str) -> bool:
        """Whether this user may open the file or device node for reading and writing."""

    def may_run(self, path: str) -> bool:
        """Whether it is a file that this user may execute."""

    def disk_usage(self, path: str) -> DiskUsage:
        """Space of the file system at `path`."""
