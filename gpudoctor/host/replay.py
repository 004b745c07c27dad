"""A recorded or composed machine: a folder of files and a list of command outputs. Nothing is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gpudoctor.host.access import MAX_READ_BYTES, Command, DiskUsage, HostError
from gpudoctor.host.local import LocalHost


class ReplayHost:
    """Files come from `root`, commands from `commands` (argv joined by spaces), both recorded."""

    live = False

    def __init__(
        self,
        root: str,
        commands: Mapping[str, Command | HostError] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._files = LocalHost(environ=environ or {}, root=root)
        self._commands = dict(commands or {})

    @property
    def environ(self) -> Mapping[str, str]:
        """The recorded environment."""
        return self._files.environ

    @property
    def unrooted(self) -> ReplayHost:
        """Itself: its programs are as recorded as its files."""
        return self

    def run(self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Command:  # noqa: ARG002
        """The recorded answer; tool_missing where none was recorded."""
        answer = self._commands.get(" ".join(argv))
        if answer is None:
            raise HostError("tool_missing", f"{argv[0]} was not recorded")
        if isinstance(answer, HostError):
            raise answer
        return answer

    def read(self, path: str, max_bytes: int = MAX_READ_BYTES) -> bytes:
        """A recorded file."""
        return self._files.read(path, max_bytes)

    def read_at(self, path: str, offset: int, size: int) -> bytes:
        """A part of a recorded file."""
        return self._files.read_at(path, offset, size)

    def read_text(self, path: str) -> str:
        """A recorded small text file."""
        return self._files.read_text(path)

    def list_dir(self, path: str) -> tuple[str, ...]:
        """Names in a recorded folder."""
        return self._files.list_dir(path)

    def real_path(self, path: str) -> str:
        """A recorded path with its recorded links resolved."""
        return self._files.real_path(path)

    def read_link(self, path: str) -> str:
        """What a recorded link says."""
        return self._files.read_link(path)

    def file_size(self, path: str) -> int:
        """Length of a recorded file."""
        return self._files.file_size(path)

    def exists(self, path: str) -> bool:
        """Whether it was recorded."""
        return self._files.exists(path)

    def may_open(self, path: str) -> bool:
        """Whether it was recorded and may be opened."""
        return self._files.may_open(path)

    def may_run(self, path: str) -> bool:
        """Whether it was recorded and is executable."""
        return self._files.may_run(path)

    def disk_usage(self, path: str) -> DiskUsage:
        """The recorded size of a file system."""
        return self._files.disk_usage(path)
