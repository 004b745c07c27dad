"""Anything can stand after `--` or in a pasted file: the parser answers or says what is wrong, and never runs long."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpudoctor.model.change import Change
from gpudoctor.workload import CommandError, parse, rewrite

MANY = 100_000
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
    ["x" * (1 << 20)],
]


@pytest.mark.parametrize("argv", HUGE, ids=range(len(HUGE)))
def test_a_hundred_thousand_words_are_read(argv: list[str]) -> None:
    assert msgspec.json.encode(parse(argv).workload)


def test_a_command_of_more_than_four_mebibytes_is_refused() -> None:
    with pytest.raises(CommandError, match="longer than 4 MiB"):
        parse(["vllm", "x" * (5 << 20)])


def test_shells_in_shells_end_somewhere() -> None:
    command = "vllm serve x -tp 2"
    for _ in range(12):
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
