"""What runs while probing: one live line on a terminal, no thread, no hidden cursor that a crash could leave behind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from gpudoctor.render.sanitize import clean
from gpudoctor.render.terminal.measure import fit

_EVERY_S = 0.1
_CLEAR = "\r\x1b[K"


class Progress:
    """Called by whoever waits for the probes, as often as it likes.

    On a terminal the line is written over itself, and the cursor rests at its start: whatever ends the program, the
    shell's prompt lands on it. Elsewhere nothing is written, or with `verbose` one line for each probe that starts.
    A stream that cannot be written to any more is given up in silence: progress is no result.
    """

    def __init__(
        self, stream: TextIO, *, verbose: bool = False, width: int | None = None, verb: str = "probing"
    ) -> None:
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._verbose = verbose and not self._live
        self._width = width or (_columns(stream) if self._live else 80)
        self._verb = verb
        self._named: set[str] = set()
        self._last: tuple[tuple[str, ...], int] = ((), -1)
        self._next_s = 0.0
        self._drawn = False

    def update(self, running: Sequence[str], done: int, total: int, elapsed_s: float) -> None:
        """Say what runs now; cheap when nothing changed since a moment ago."""
        if self._verbose:
            for name in running:
                if name not in self._named:
                    self._named.add(name)
                    self._write(f"{self._verb} {clean(name, 60)}\n")
        if not self._live:
            return
        state = (tuple(running), done)
        if state == self._last and elapsed_s < self._next_s:
            return
        self._last, self._next_s = state, elapsed_s + _EVERY_S
        names = clean(", ".join(running), 400) or "done"
        tail = f"  {done} of {total}  {elapsed_s:.1f} s"
        self._write(f"{_CLEAR}{fit(f'{self._verb}  {names}', self._width - 1 - len(tail))}{tail}\r")
        self._drawn = True

    def close(self) -> None:
        """Take the line away. May be called more than once."""
        if self._drawn:
            self._drawn = False
            self._write(_CLEAR)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone, or the stream was closed
            self._live = self._verbose = False


def _columns(stream: TextIO) -> int:
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or 80, 20)  # some terminals do not know
    except (OSError, ValueError):
        return 80
