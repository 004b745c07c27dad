"""The machine that we run on, or one whose root is mounted here (`GPUDOCTOR_ROOT`)."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from gpudoctor.host.access import MAX_READ_BYTES, Command, DiskUsage, HostError
from gpudoctor.host.process import run_bounded

ROOT_VARIABLE = "GPUDOCTOR_ROOT"


# Opening a named pipe that nobody writes to would otherwise wait for ever.
_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def _host_error(error: OSError | ValueError | OverflowError, path: str) -> HostError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return HostError("not_applicable", f"{path} does not exist")
    if isinstance(error, PermissionError):
        return HostError("no_permission", f"{path} may not be read by this user")
    # A path with a NUL or a lone surrogate is a ValueError: it can name no file.
    reason = error.strerror if isinstance(error, OSError) else ""
    return HostError("failed", f"{path}: {reason or error}")


class LocalHost:
    """Reads below `root`; runs programs of the machine itself."""

    live = True

    def __init__(self, environ: Mapping[str, str] | None = None, root: str | None = None) -> None:
        self._environ = dict(os.environ if environ is None else environ)
        self._root = (self._environ.get(ROOT_VARIABLE, "") if root is None else root).rstrip("/")

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that the user's shell gave us."""
        return self._environ

    def _at(self, path: str) -> str:
        if not path.startswith("/"):
            raise HostError("failed", f"{path} is not an absolute path")
        return self._root + path

    @property
    def unrooted(self) -> LocalHost:
        """This machine without the mounted root: where programs run, and where the paths that they print are."""
        return LocalHost(self._environ, root="") if self._root else self

    def run(self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Command:
        """Run a program; its whole process group is killed on time-out."""
        return run_bounded(argv, timeout_s=timeout_s, env=self._environ if env is None else env)

    def read(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes:
        """At most the first `max_bytes` of a file."""
        try:
            descriptor = os.open(self._at(path), _READ_FLAGS)
            try:
                return _read_all(descriptor, max_bytes)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise _host_error(error, path) from error

    def read_at(self, path: str, offset: int, size: int) -> bytes:
        """At most `size` bytes of a regular file from `offset`."""
        try:
            descriptor = os.open(self._at(path), _READ_FLAGS)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise HostError("failed", f"{path} is not a regular file")
                return os.pread(descriptor, size, offset)
            finally:
                os.close(descriptor)
        except (OSError, ValueError, OverflowError) as error:
            raise _host_error(error, path) from error

    def read_text(self, path: str) -> str:
        """A small text file, stripped, decoded with replacement."""
        return self.read(path).decode("utf-8", "replace").strip()

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder."""
        try:
            return tuple(sorted(os.listdir(self._at(path))))  # noqa: PTH208
        except OSError as error:
            raise _host_error(error, path) from error

    def real_path(self, path: str) -> str:
        """The path with every link resolved, named from the examined machine's root."""
        try:
            real = os.path.realpath(self._at(path), strict=True)
        except OSError as error:
            raise _host_error(error, path) from error
        root = os.path.realpath(self._root) if self._root else ""
        return real[len(root) :] if root and real.startswith(root + "/") else real

    def read_link(self, path: str) -> str:
        """What a symbolic link says, unresolved."""
        try:
            return os.readlink(self._at(path))  # noqa: PTH115
        except OSError as error:
            raise _host_error(error, path) from error

    def file_size(self, path: str) -> int:
        """Length of a file in bytes."""
        try:
            return os.stat(self._at(path)).st_size  # noqa: PTH116
        except OSError as error:
            raise _host_error(error, path) from error

    def exists(self, path: str) -> bool:
        """Whether there is anything at `path`."""
        return os.path.lexists(self._at(path))

    def may_open(self, path: str) -> bool:
        """Whether this user may open it for reading and writing."""
        return os.access(self._at(path), os.R_OK | os.W_OK)

    def may_run(self, path: str) -> bool:
        """Whether it is a file that this user may execute."""
        at = self._at(path)
        return os.path.isfile(at) and os.access(at, os.X_OK)  # noqa: PTH113 - os.path takes what Path refuses

    def disk_usage(self, path: str) -> DiskUsage:
        """Space of the file system at `path`; a mounted or replayed root may state it in a file beside it."""
        stated = Path(f"{self._at(path)}.statvfs")
        try:
            if self._root and stated.exists():
                total, free = (int(number) for number in stated.read_text().split())
                return DiskUsage(total, free)
            stats = os.statvfs(self._at(path))
        except OSError as error:
            raise _host_error(error, path) from error
        return DiskUsage(stats.f_blocks * stats.f_frsize, stats.f_bavail * stats.f_frsize)


def _read_all(descriptor: int, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = max_bytes
    while left > 0 and (part := os.read(descriptor, min(left, 1 << 16))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
