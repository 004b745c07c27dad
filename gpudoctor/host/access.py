"""The interface to a machine, and the one error it raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from gpudoctor.model.fact import Fact, Reason, absent

T = TypeVar("T")

MAX_READ_BYTES = 1 << 20
MAX_OUTPUT_BYTES = 8 << 20


class HostError(Exception):
    """Something could not be had; `reason` is the reason of the absent fact that follows from it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail

    def fact(self, source: str) -> Fact[T]:
        """The absence that this error means."""
        return absent(self.reason, self.detail, source)


@dataclass(frozen=True)
class Command:
    """A finished command. Output is decoded with replacement and bounded to MAX_OUTPUT_BYTES."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class DiskUsage:
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

    def run(self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Command:
        """Run a program without a shell, with stdin closed. `env` replaces the environment.

        Raises HostError: tool_missing, no_permission, timeout.
        """

    def read(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes:
        """At most the first `max_bytes` of a file. Raises HostError: not_applicable (no such file), no_permission."""

    def read_text(self, path: str) -> str:
        """A small text file, stripped, decoded with replacement."""

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder."""

    def real_path(self, path: str) -> str:
        """The path with every link resolved, as the machine itself would name it."""

    def exists(self, path: str) -> bool:
        """Whether there is anything at `path`."""

    def may_open(self, path: str) -> bool:
        """Whether this user may open the file or device node for reading and writing."""

    def disk_usage(self, path: str) -> DiskUsage:
        """Space of the file system at `path`."""
