"""A forked process that examines the machine while this one reads the command line and prepares what comes after.

It is forked before anything large is imported, and imports the probes while the options are still being parsed: that
is half of the time of a short check. It sends every probe's section as soon as it is there, as it came from the probe.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from gpudoctor.cli import signals
from gpudoctor.errors import GpudoctorError

if TYPE_CHECKING:
    from gpudoctor.cli.examine.examined import Examined
    from gpudoctor.cli.examine.order import Order

_VERBS = frozenset({"check", "snapshot"})
_ELSEWHERE = frozenset({"--help", "-h", "--snapshot"})
_GRACE_S = 5.0  # an examination ends on time by itself; after that something is very wrong
_TO_CLEAN_UP_S = 1.0


def is_wanted(arguments: Sequence[str]) -> bool:
    """Whether this command line, if it is right, examines this machine. Nothing after `--` is ours."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    names = {word.partition("=")[0] for word in ours}
    return bool(ours) and ours[0] in _VERBS and not names & _ELSEWHERE


def examine(early: object, order: Order, meanwhile: Callable[[], None] | None = None) -> Examined:
    """Facts of this machine, from the examiner that was started early or, where there is none, from one of its own."""
    if isinstance(early, Examiner):
        return early.examine(order, meanwhile)
    with Examiner() as examiner:
        return examiner.examine(order, meanwhile)


class Examiner:
    """The process, waiting for its order from the moment on at which this object is made."""

    def __init__(self) -> None:
        orders, order = os.pipe()
        self._answer, answers = os.pipe()
        parent = os.getpid()
        with signals.blocked():
            self._pid = os.fork()
            if self._pid == 0:
                _live(parent, orders, answers, (order, self._answer))
        os.close(orders)
        os.close(answers)
        self._orders = os.fdopen(order, "wb")

    def examine(self, order: Order, meanwhile: Callable[[], None] | None = None) -> Examined:
        """Send the order, do something else, take the answer; once only.

        Raises GpudoctorError where the process brings none.
        """
        import msgspec

        from gpudoctor.cli.examine.examined import Collected, End, Piece, without_secrets

        with contextlib.suppress(BrokenPipeError), self._orders:
            self._orders.write(msgspec.msgpack.encode(order))
        deadline = time.monotonic() + order.timeout_s + _GRACE_S
        with signals.blocked():
            decoder = msgspec.msgpack.Decoder(Piece | End)
        if meanwhile is not None:
            meanwhile()
        signals.unblock()  # from here on we wait; so far modules were loaded, where an interrupt does harm
        collected = Collected()
        end = End(problem="ended without an answer")
        for message in self._messages(deadline):
            with signals.blocked():
                said = decoder.decode(message)
                if isinstance(said, End):
                    end = without_secrets(said)
                else:
                    collected.take(said)
        if end.problem:
            raise GpudoctorError(
                f"the process that examines the machine {end.problem}",
                "look at ulimit -a and the kernel log (OOM killer); if they are innocent, report this as a defect",
            )
        with signals.blocked():
            return collected.facts_of(end)

    def _messages(self, deadline: float) -> Iterator[bytes]:
        """Everything until the end, or until the time is up."""
        from gpudoctor.host.frames import Frames

        poller = select.poll()
        poller.register(self._answer, select.POLLIN | select.POLLHUP)
        received = Frames()
        while poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            data = os.read(self._answer, 1 << 20)
            if not data:
                return
            yield from received.feed(data)

    def __enter__(self) -> Examiner:
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end what it has started, and end it."""
        self._orders.close()
        os.close(self._answer)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            deadline = time.monotonic() + _TO_CLEAN_UP_S
            os.kill(self._pid, signal.SIGTERM)
            while not os.waitpid(self._pid, os.WNOHANG)[0]:
                if time.monotonic() > deadline:
                    os.kill(self._pid, signal.SIGKILL)
                    return
                time.sleep(0.001)


def _live(parent: int, orders: int, answers: int, of_parent: tuple[int, int]) -> NoReturn:
    """The whole life of the process; never returns."""
    try:
        signals.unblock()
        for descriptor in of_parent:
            os.close(descriptor)
        _detach(parent)
        _obey(orders, answers)
    finally:
        os._exit(0)


def _obey(orders: int, answers: int) -> None:
    """Load everything, wait for the order, carry it out. No order means that the command line was wrong."""
    import msgspec

    from gpudoctor.cli.examine.examined import End, Piece
    from gpudoctor.cli.examine.live import live
    from gpudoctor.cli.examine.order import Order
    from gpudoctor.host.frames import Outgoing
    from gpudoctor.probes import discover

    discover()
    with os.fdopen(orders, "rb") as stream:
        order = stream.read()
    if not order:
        return
    encode = msgspec.msgpack.Encoder().encode
    outgoing = Outgoing(answers)  # the parent reads when it has nothing else to do, and probes have deadlines

    def send(said: Piece | End) -> None:
        outgoing.send(encode(said))

    try:
        live(msgspec.msgpack.decode(order, type=Order), send)
    except Exception as error:  # noqa: BLE001 - the border of a process: the parent reports it
        send(End(problem=f"failed: {type(error).__name__}: {error}"))
    outgoing.finish()


def _detach(parent: int) -> None:
    """Die with the parent, and keep nobody waiting who reads its output. Progress still goes to stderr."""
    from gpudoctor.host.new_process import die_with_parent, open_null

    die_with_parent(parent)
    null = open_null()
    os.dup2(null, 0)
    os.dup2(null, 1)
