"""Anything can stand after `--` or in a pasted file: the parser answers or says what is wrong, and never runs long."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpudoctor.model.change import Change
from gpudoctor.workload import CommandError, parse, rewrite

MANY = 12_000  # as many as the bound on the length of a command allows in each of these
HUGE = [
    ["vllm", "serve", *["a"] * MANY],
    ["vllm", "serve", "x", *[f"--unknown-{i}" for i in range(MANY)]],
    ["A=1"] * MANY,
    [f"A{i}=1" for i in range(MANY)] + ["vllm", "serve", "x"],
    ["docker", "run", *["-e", "A=1"] * (MANY // 2)],
    ["sudo"] * MANY,
    ["bash", "-c"] * MANY,
    ["torchrun"] * MANY,
    ["a; " * MANY],
    ["echo " + "$(" * MANY + ")" * MANY],
    ["\\" * MANY + "\n x"],
    ["vllm serve x " + "-tp 2 " * MANY],
    ["x" * (200 << 10)],
]


@pytest.mark.parametrize("argv", HUGE, ids=range(len(HUGE)))
def test_very_many_words_are_read(argv: list[str]) -> None:
    assert msgspec.json.encode(parse(argv).workload)


@pytest.mark.parametrize("argv", [["vllm", "x" * (300 << 10)], ["a; " * 100_000], ["x"] * 200_000])
def test_a_command_that_nobody_types_is_refused(argv: list[str]) -> None:
    with pytest.raises(CommandError, match="longer than 256 KiB"):
        parse(argv)


REPEATED = [
    ("", "a ", ""),
    ("", "a | ", ""),
    ("", "\n", "vllm serve x"),
    ("", "\r\n \t", "vllm serve x"),
    ("", "A=1 ", "vllm serve x"),
    ("", "export A=1\nunset B\n", "vllm serve x"),
    ("", "export A=1; ls; ", "vllm serve x"),
    ("", "# x\n", "vllm serve x"),
    ("", "(", ""),
    ("", "sudo ", "vllm serve x"),
    ("env ", "-u A ", "vllm serve x"),
    ("docker run ", "-e A=1 ", "image vllm serve x"),
    ("vllm serve ", "-tp 2 -tp 3 ", ""),
    ("vllm serve ", "--unknown 1 ", ""),
    ("vllm serve ", "'a' \"$b\" `c` ", ""),
    ("vllm serve ", "${", ""),
    ("vllm serve ", "<a", ""),
    ("vllm serve ", "1", ""),
    ("vllm serve ", "\\\n", ""),
    ("bash -c '", "vllm serve x -tp 2; ", "'"),
]


def steps(text: str) -> int:
    """How many instructions the parser takes: unlike time, the same on every machine."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        parse([text])
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(("begin", "part", "end"), REPEATED, ids=[part for _, part, _ in REPEATED])
def test_twice_as_long_takes_at_most_twice_as_many_steps(begin: str, part: str, end: str) -> None:
    steps(begin + part * 10 + end)  # what is loaded once
    once, twice = (steps(begin + part * number + end) for number in (150, 300))
    assert twice <= 2.1 * once


def test_shells_in_shells_end_somewhere() -> None:
    command = "vllm serve x -tp 2"
    for _ in range(8):
        command = "bash -c '" + command.replace("'", "'\\''") + "'"
    assert parse([command]).workload.framework.or_none() is None


NOISE = st.text(
    st.one_of(st.sampled_from(" '\"\\$`;&|<>()=-#\n{}vllmserve-tp42"), st.characters(exclude_categories=())),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@example("vllm serve 'x")
@example("vllm serve \ud800 -tp 2")
@example("vllm serve\u00a0x \u2028")
@given(NOISE)
def test_any_text_is_read_or_refused(text: str) -> None:
    for argv in ([text], ["vllm", "serve", text], ["docker", "run", "-e", text, "img", text], ["bash", "-c", text]):
        try:
            parsed = parse(argv)
        except CommandError:
            continue
        assert msgspec.json.encode(parsed)
        changed = rewrite(parsed.workload, Change(flags={"tp": "2"}, env={"A": "1"}))
        if changed:
            parse([changed])
