"""The live line: on a terminal only, rewritten in place, gone afterwards."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest

from gpudoctor.render.progress import Progress


class Terminal:
    """A pseudo-terminal whose far end can be read."""

    def __init__(self) -> None:
        self._far, near = pty.openpty()
        self.stream: TextIO = os.fdopen(near, "w", encoding="utf-8")

    def written(self) -> str:
        """Everything since the last call: what arrives before a mark of our own."""
        self.stream.write("<mark>")
        self.stream.flush()
        data = b""
        while not data.endswith(b"<mark>"):
            data += os.read(self._far, 65536)
        return data.removesuffix(b"<mark>").decode()

    def close(self) -> None:
        os.close(self._far)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    yield terminal
    terminal.stream.close()
    terminal.close()


def test_the_line_names_what_runs_and_rewrites_itself(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, width=60)
    progress.update(["nvml", "torch"], 3, 11, 2.1)
    assert terminal.written() == "\r\x1b[Kprobing  nvml, torch  3 of 11  2.1 s\r"
    progress.update(["torch"], 4, 11, 2.2)
    assert terminal.written() == "\r\x1b[Kprobing  torch  4 of 11  2.2 s\r"


def test_it_takes_itself_away_once_and_never_hides_the_cursor(terminal: Terminal) -> None:
    with Progress(terminal.stream, width=60) as progress:
        progress.update(["nvml"], 0, 1, 0.0)
    first = terminal.written()
    assert first.endswith("\r\x1b[K")
    assert "\x1b[?25" not in first
    progress.close()
    assert terminal.written() == ""


def test_it_is_taken_away_when_the_work_raises(terminal: Terminal) -> None:
    def interrupted() -> None:
        with Progress(terminal.stream, width=60) as progress:
            progress.update(["nvml"], 0, 1, 0.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert terminal.written().endswith("\r\x1b[K")


def test_nothing_new_within_a_tenth_of_a_second_is_not_drawn_again(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, width=60)
    progress.update(["nvml"], 0, 1, 1.00)
    terminal.written()
    progress.update(["nvml"], 0, 1, 1.05)
    assert terminal.written() == ""
    progress.update(["nvml"], 0, 1, 1.11)
    assert "1.1 s" in terminal.written()


def test_the_line_never_reaches_the_edge(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, width=40)
    progress.update([f"a-long-probe-name-{number}" for number in range(20)], 0, 20, 12.3)
    shown = terminal.written().strip("\r").removeprefix("\x1b[K")
    assert len(shown) <= 39
    assert shown.endswith("…  0 of 20  12.3 s")


def test_probe_names_cannot_write_to_the_terminal(terminal: Terminal) -> None:
    Progress(terminal.stream, width=60).update(["x\x1b[2Jy\n"], 0, 1, 0.0)
    shown = terminal.written()
    assert shown.startswith("\r\x1b[Kprobing  xy")
    assert shown.count("\x1b") == 1
    assert "\n" not in shown


def test_a_dumb_terminal_gets_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    Progress(terminal.stream).update(["nvml"], 0, 1, 0.0)
    assert terminal.written() == ""


def test_a_pipe_gets_nothing_or_one_line_for_each_probe() -> None:
    silent, wordy = io.StringIO(), io.StringIO()
    for stream, verbose in ((silent, False), (wordy, True)):
        progress = Progress(stream, verbose=verbose)
        progress.update(["nvml", "torch"], 0, 2, 0.0)
        progress.update(["torch"], 1, 2, 0.5)
        progress.close()
    assert silent.getvalue() == ""
    assert wordy.getvalue() == "probing nvml\nprobing torch\n"


def test_a_terminal_that_went_away_is_given_up(terminal: Terminal) -> None:
    progress = Progress(terminal.stream, width=60)
    progress.update(["nvml"], 0, 2, 0.0)
    terminal.stream.close()
    progress.update(["torch"], 1, 2, 1.0)
    progress.close()
