"""Run a command in the foreground as if it had been started directly, and see what it says.

Its streams are pipes, or terminals where ours are; stdin is ours. Signals that we get are passed on to it. What it says
goes out unchanged before anything else is done with it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import selectors
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Final

from msgspec import Struct

from gpudoctor.host.access import HostError

_CHUNK: Final = 1 << 16
_PASSED_ON: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
)
_FROM_TERMINAL: Final = frozenset({signal.SIGINT, signal.SIGQUIT})  # the terminal sends them to all in the foreground
_LINGER_S: Final = 0.5  # what a background child of the command still says is waited for no longer


class Ended(Struct, frozen=True):
    """How the command ended: its exit status, or the signal that killed it."""

    status: int
    killed_by: int = 0

    @property
    def as_shell(self) -> int:
        """The status as shells give it: 128 + the signal's number."""
        return 128 + self.killed_by if self.killed_by else self.status


class Supervised:
    """One command. `said` gets every chunk of its output; `tick` is called about every `tick_s` seconds."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        said: Callable[[bytes], None],
        tick: Callable[[Supervised], None],
        tick_s: float,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._argv = list(argv)
        self._said = said
        self._tick = tick
        self._tick_s = tick_s
        self._env = None if env is None else dict(env)
        self._selector = selectors.DefaultSelector()
        self._process: subprocess.Popen[bytes] | None = None
        self.last_output = time.monotonic()

    @property
    def pid(self) -> int:
        """Of the command, 0 before it runs."""
        return self._process.pid if self._process is not None else 0

    def signal(self, number: int) -> None:
        """Send it a signal; that it has ended meanwhile is fine."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._process.pid, number)

    def run(self) -> Ended:
        """Start it and stay until it has ended.

        Raises:
            HostError: it cannot be started.
        """
        waker, woken = socket.socketpair()
        for end in (waker, woken):
            end.setblocking(False)
        try:
            with self._signals(waker.fileno()):
                self._start()
                self._selector.register(woken, selectors.EVENT_READ, None)
                return self._attend(woken)
        finally:
            self._selector.close()
            waker.close()
            woken.close()

    def _start(self) -> None:
        streams = [_Stream(number) for number in (1, 2)]
        try:
            self._process = subprocess.Popen(
                self._argv, stdout=streams[0].inner, stderr=streams[1].inner, env=self._env
            )
        except FileNotFoundError as error:
            raise HostError("tool_missing", f"{self._argv[0]}: command not found") from error
        except PermissionError as error:
            raise HostError("no_permission", f"{self._argv[0]}: permission denied") from error
        except (OSError, ValueError) as error:
            raise HostError("failed", f"{self._argv[0]} could not be started: {error}") from error
        finally:
            for stream in streams:
                os.close(stream.inner)
        for stream in streams:
            self._selector.register(stream.outer, selectors.EVENT_READ, stream.target)

    def _attend(self, woken: socket.socket) -> Ended:
        process = self._process
        if process is None:
            raise HostError("failed", "nothing was started")
        ended_at = 0.0
        next_tick = time.monotonic() + self._tick_s
        while True:
            now = time.monotonic()
            said = self._take(woken, _LINGER_S / 5 if ended_at else max(0.0, next_tick - now))
            quiet = bool(ended_at) and not said  # before it ended silence means nothing: it may have spoken since
            now = time.monotonic()
            if not ended_at and process.poll() is not None:
                ended_at = now
            if ended_at and (quiet or len(self._selector.get_map()) == 1 or now - ended_at > _LINGER_S):
                return _how(process.returncode)
            if now >= next_tick and not ended_at:
                self._tick(self)
                next_tick = time.monotonic() + self._tick_s

    def _take(self, woken: socket.socket, timeout_s: float) -> bool:
        """Pass on what there is; whether there was any."""
        any_said = False
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is woken:
                with contextlib.suppress(BlockingIOError):
                    woken.recv(4096)
                continue
            any_said = True
            data = _read(key.fd)
            delivered = bool(data) and _written(key.data, data)
            if data:
                self.last_output = time.monotonic()
                self._said(data)
            if not delivered:
                self._selector.unregister(key.fd)
                os.close(key.fd)  # the command notices that nobody reads, as it would without us
        return any_said

    @contextlib.contextmanager
    def _signals(self, wakeup: int) -> Iterator[None]:
        before = {number: signal.getsignal(number) for number in (*_PASSED_ON, signal.SIGCHLD)}
        old_wakeup = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        try:
            for number in _PASSED_ON:
                if before[number] is not signal.SIG_IGN:
                    signal.signal(number, self._pass_on)
            signal.signal(signal.SIGCHLD, _nothing)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_wakeup)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number in _FROM_TERMINAL and _in_foreground():
            return
        self.signal(number)


class _Stream:
    """A way for one of the command's streams to us: a terminal where ours is one, so that it behaves the same."""

    def __init__(self, target: int) -> None:
        self.target = target
        if not os.isatty(target):
            self.outer, self.inner = os.pipe()
            return
        self.outer, self.inner = os.openpty()
        attributes = termios.tcgetattr(self.inner)
        attributes[1] &= ~termios.OPOST  # the real terminal does that already
        termios.tcsetattr(self.inner, termios.TCSANOW, attributes)
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(target, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self.inner, termios.TIOCSWINSZ, size)


def _how(code: int | None) -> Ended:
    code = code or 0
    return Ended(0, -code) if code < 0 else Ended(code)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The wake-up is all that is wanted of the signal."""


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError as error:
        if error.errno == errno.EIO:  # the other end of a terminal is closed
            return b""
        raise


def _written(descriptor: int, data: bytes) -> bool:
    """Every byte; False where nobody reads on."""
    view = memoryview(data)
    while view:
        select.select([], [descriptor], [])  # one that is set to non-blocking is no error
        try:
            view = view[os.write(descriptor, view) :]
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return False
    return True
