"""Whatever the command: a change gives the changed value, a line that a shell can read, and leaves the rest alone."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from gpudoctor.model.change import Change
from gpudoctor.model.facts import Workload
from gpudoctor.workload import parse, rewrite
from tests.workload.commands import ALL, Command

FOLLOWS = {"command", "world_size", "gpus_needed", "contradictions", "processes_per_node", "devices"}
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"]), max_size=20)


def rest(workload: Workload, *fields: str) -> dict[str, object]:
    return {name: fact for name, fact in asdict(workload).items() if name not in FOLLOWS | set(fields)}


def quoted_words(command: str) -> list[str]:
    return shlex.split(command, posix=True)


@pytest.mark.parametrize("command", ALL, ids=[c.text[:60] for c in ALL])
def test_a_changed_tp_size_is_read_back_and_nothing_else_changes(command: Command) -> None:
    before = parse([command.text]).workload
    result = rewrite(before, Change(flags={"tp": "3"}))
    if not result:
        return
    assert quoted_words(result)
    after = parse([result]).workload
    by_processes = before.tp.or_none() is None and before.processes_per_node != after.processes_per_node
    assert by_processes or after.tp.or_none() == 3
    assert rest(after, "tp") == rest(before, "tp")


@pytest.mark.parametrize("command", ALL, ids=[c.text[:60] for c in ALL])
def test_a_changed_variable_is_read_back_and_nothing_else_changes(command: Command) -> None:
    before = parse([command.text])
    result = rewrite(before.workload, Change(env={"CUDA_VISIBLE_DEVICES": "7"}))
    after = parse([result])
    assert dict(after.env) == {**dict(before.env), "CUDA_VISIBLE_DEVICES": "7"}
    assert rest(after.workload) == rest(before.workload)


@pytest.mark.parametrize("command", ALL, ids=[c.text[:60] for c in ALL])
def test_a_removed_variable_is_gone_and_nothing_else_changes(command: Command) -> None:
    before = parse([command.text])
    result = rewrite(before.workload, Change(unset=("CUDA_VISIBLE_DEVICES", "NCCL_DEBUG")))
    if not result:
        return
    after = parse([result])
    assert not {"CUDA_VISIBLE_DEVICES", "NCCL_DEBUG"} & dict(after.env).keys()
    assert rest(after.workload) == rest(before.workload)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ALL), TEXT, TEXT)
def test_any_value_survives_the_way_through_the_shell(command: Command, value: str, model: str) -> None:
    before = parse([command.text])
    result = rewrite(before.workload, Change(env={"A_NAME": value}))
    after = parse([result])
    assert dict(after.env)["A_NAME"] == value
    named = rewrite(parse(["vllm serve a/b -tp 2"]).workload, Change(flags={"model": "m" + model}))
    assert shlex.split(named)[2] == "m" + model


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, max_size=8), st.integers(2, 64))
def test_words_that_we_do_not_know_stay_as_they_are(words: list[str], tp: int) -> None:
    argv = ["vllm", "serve", "a/b", *(f"--unknown-{i}={w}" for i, w in enumerate(words))]
    result = rewrite(parse(argv).workload, Change(flags={"tp": str(tp)}))
    assert shlex.split(result) == [*argv, "--tensor-parallel-size", str(tp)]
