"""One rank as a process of ours: started in a session of its own, dying with us, heard through a pipe."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from gpudoctor.host.process import kill_session, state_of
from gpudoctor.smoke.plan import Member, Plan
from gpudoctor.smoke.segments import mapped_by, remove

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)  # loaded before any fork, so that nothing is imported in the new process
_MAX_LINE_BYTES = 64 << 10
_MAX_STACK_LINES = 200
_MAX_OUTPUT_BYTES = 2 << 20  # NCCL's log of one rank is some hundred KiB
_MAX_READS = 100
_GRACE_S = 1.0
_NO_PROGRESS = ("waiting", "peer")  # of others


class Event(msgspec.Struct, frozen=True):
    """One line of a worker. Only the fields of its kind are set."""

    event: str
    phase: str = ""
    step: str = ""
    rank: int = -1
    kind: str = ""
    type: str = ""
    text: str = ""
    trace: str = ""
    torch: str = ""
    cuda: str = ""
    backend: str = ""
    device: str = ""
    gpu: str = ""
    nccl: str = ""
    bus: str = ""
    devices: int = -1
    a: int = -1
    b: int = -1
    forth: float = 0.0
    back: float = 0.0
    both: float = 0.0
    op: str = ""
    dtype: str = ""
    variant: str = ""
    bytes: int = 0
    seconds: float = 0.0
    round: int = 0
    offset: int = 0
    count: int = 0
    elements: int = 0
    tokens: int = 0
    arithmetic: float = 0.0  # seconds, as `seconds` and `whole`
    whole: float = 0.0


@dataclass
class RankProcess:
    """A running or ended rank, as the launcher sees it. Times are time.monotonic()."""

    member: Member
    process: subprocess.Popen[bytes]
    pipe: int
    started: float
    moved: float  # its last sign of progress
    events: list[Event] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    output: bytearray = field(default_factory=bytearray)
    exit_code: int | None = None
    ended_at: float = 0.0
    kernel: str = ""
    stopped: bool = False
    given_up: bool = False  # how it ends from then on is our doing and tells nothing
    _partial: bytearray = field(default_factory=bytearray)

    def streams(self) -> Iterator[int]:
        """Descriptors to listen to: events first, then what the rank prints."""
        yield self.pipe
        if self.process.stdout is not None:
            yield self.process.stdout.fileno()

    def take(self, stream: int) -> bool:
        """Read from one of the streams; False at its end."""
        data = _read(stream)
        if data is not None:
            self._took(stream, data)
        return data != b""

    def _take_rest(self) -> None:
        """What it wrote before its end: that it came to the end of its work may be among it."""
        for stream in self.streams():
            for _ in range(_MAX_READS):  # what it has started may go on writing
                data = _read(stream)
                if not data:
                    break
                self._took(stream, data)

    def _took(self, stream: int, data: bytes) -> None:
        if stream != self.pipe:
            self.output += data[: _MAX_OUTPUT_BYTES - len(self.output)]
            return
        self._partial += data
        *lines, rest = self._partial.split(b"\n")
        self._partial = bytearray(rest[:_MAX_LINE_BYTES])
        for line in lines:
            self._heard(bytes(line))

    def _heard(self, line: bytes) -> None:
        """An event, or a line of a stack that faulthandler wrote."""
        if line.startswith(b"{"):
            with contextlib.suppress(msgspec.MsgspecError):
                event = msgspec.json.decode(line, type=Event)
                self.events.append(event)
                if event.event not in _NO_PROGRESS:
                    self.moved = time.monotonic()
        elif len(self.stack) < _MAX_STACK_LINES:
            self.stack.append(line.decode("utf-8", "replace"))

    def poll(self) -> bool:
        """Whether it has ended by itself."""
        if self.exit_code is None and not self.given_up:
            self.exit_code = self.process.poll()
            if self.exit_code is not None:
                self.ended_at = time.monotonic()
                self._take_rest()
        return self.exit_code is not None

    @property
    def done(self) -> bool:
        """Whether it came to the end of the last phase."""
        return any(event.event == "phase" and event.phase == "done" for event in self.events)

    def first(self, kind: str) -> Event | None:
        """Its first event of a kind."""
        return next((event for event in self.events if event.event == kind), None)

    def ask_for_stack(self) -> None:
        """Note its state in the kernel and ask for its Python stack, where it can still answer."""
        state, channel = kernel_state(self.process.pid)
        self.stopped = state in ("T", "t")
        self.kernel = f"{state} {channel}".strip()
        # Before the worker has said anything it has no handler, and the signal would end it.
        if self.events and not self.poll():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        """End it and all it started; take away the segments of shared memory that NCCL named for it."""
        alive = not self.poll()
        self.given_up = True
        segments = mapped_by(self.process.pid) if alive else frozenset()
        kill_session(self.process.pid)
        if alive:
            self.process.kill()
        remove(segments)

    def close(self) -> None:
        """Wait for its end and close its streams."""
        try:
            self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.returncode = -signal.SIGKILL  # stuck in the kernel: left behind, and not waited for at exit
        with contextlib.suppress(OSError):
            os.close(self.pipe)
        if self.process.stdout is not None:
            self.process.stdout.close()


def start(plan: Plan, member: Member) -> RankProcess:
    """Start one rank. Raises OSError where the interpreter cannot be run."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    parent = os.getpid()
    try:
        process = subprocess.Popen(
            plan.argv(write_end),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=plan.environment(member),
            pass_fds=(write_end,),
            preexec_fn=lambda: _own_session(parent),  # noqa: PLW1509 - no threads here
        )
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    if process.stdout is not None:
        os.set_blocking(process.stdout.fileno(), False)
    now = time.monotonic()
    return RankProcess(member, process, read_end, now, now)


def _read(stream: int) -> bytes | None:
    """What can be read now; None where nothing can."""
    try:
        return os.read(stream, 1 << 16)
    except BlockingIOError:
        return None


def _own_session(parent: int) -> None:
    """In the new process: lead a session, so that Ctrl-C is ours to handle, and die with the launcher."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # no file is left
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the launcher died before the call above
        os.kill(os.getpid(), signal.SIGKILL)


def kernel_state(pid: int) -> tuple[str, str]:
    """State letter and wait channel of a process; empty where the kernel does not tell."""
    state = state_of(pid)
    if not state:
        return "", ""
    try:
        with open(f"/proc/{pid}/wchan", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            channel = file.read().strip()
    except OSError:
        channel = ""
    return state, "" if channel == "0" else channel
