"""The installed command on real terminals: of any width, without colour, and on those that can do nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from gpudoctor.render.terminal.measure import columns
from tests.cli.conftest import GPUDOCTOR, Lab

SGR = re.compile(r"\x1b\[[0-9;]*m")
LAUNCH = ("--", "vllm", "serve", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size", "4")


def on_terminal(env: dict[str, str], width: int, *arguments: str) -> tuple[str, str]:
    """(what stdout showed, what stderr showed), each a terminal of its own of that width."""
    ends = [pty.openpty() for _ in range(2)]
    for _, slave in ends:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        modes = termios.tcgetattr(slave)
        modes[1] &= ~termios.OPOST  # no \r before every \n
        termios.tcsetattr(slave, termios.TCSANOW, modes)
    process = subprocess.Popen(
        [str(GPUDOCTOR), "check", "--quick", *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=ends[0][1],
        stderr=ends[1][1],
    )
    for _, slave in ends:
        os.close(slave)
    shown = [_all_of(master) for master, _ in ends]
    process.wait(timeout=60)
    return shown[0], shown[1]


def _all_of(master: int) -> str:
    data = b""
    try:
        while part := os.read(master, 1 << 16):
            data += part
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return data.decode()


def terminal(lab: Lab, **variables: str) -> dict[str, str]:
    env = lab.env("rtx4090x2", TERM="xterm-256color", **variables)
    return {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}


def too_wide(text: str, width: int) -> list[str]:
    """Lines beyond the edge, but for what must stay in one piece to be copied: commands, paths and addresses."""
    lines = [SGR.sub("", line) for line in text.splitlines()]
    return [line for line in lines if columns(line) > width and not _is_whole(line, width)]


def _is_whole(line: str, width: int) -> bool:
    words = line.split()
    is_command = not line.startswith(" ") and words[0] in ("vllm", "gpudoctor", "sudo", "nvidia-smi", "export", "find")
    # Hanging below a label of up to 28 columns, with nothing else in its line.
    return is_command or (len(words) <= 4 and any("/" in word and columns(word) > width - 34 for word in words))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 200])
def test_nothing_runs_over_the_edge(lab: Lab, width: int) -> None:
    out, _ = on_terminal(terminal(lab), width, "-v", *LAUNCH)
    assert "TP size 4" in " ".join(SGR.sub("", out).split())
    assert too_wide(out, width) == []
    if width > 80:  # and the room is used
        assert any(columns(SGR.sub("", line)) > 80 for line in out.splitlines())


def test_a_terminal_gets_colour(lab: Lab) -> None:
    assert "\x1b[" in on_terminal(terminal(lab), 80)[0]


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_who_wants_no_colour_gets_the_same_words_without(lab: Lab, variables: dict[str, str]) -> None:
    plain, _ = on_terminal({**terminal(lab), **variables}, 80, *LAUNCH)
    colourful, _ = on_terminal(terminal(lab), 80, *LAUNCH)
    assert "\x1b" not in plain
    assert SGR.sub("", colourful) == plain


def test_a_terminal_that_can_do_nothing_gets_no_control_sequence_on_stderr_either(lab: Lab) -> None:
    hanging = lab.env("rtx4090x2", "nvmlDeviceGetName=hang", TERM="dumb")
    _, err = on_terminal(hanging, 80, "--timeout", "3")
    assert "\x1b" not in err
    assert "\r" not in err


@pytest.mark.parametrize("columns_set", ["40", "200"])
def test_the_variable_columns_is_not_needed_and_counts_where_it_is_set(lab: Lab, columns_set: str) -> None:
    out, _ = on_terminal({**terminal(lab), "COLUMNS": columns_set}, 80, *LAUNCH)
    assert too_wide(out, int(columns_set)) == []
