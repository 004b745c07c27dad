"""Templates: filters, absent facts, shell quoting, hostile values."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.template import Template
from gpudoctor.engine.template_text import compile_template
from gpudoctor.engine.values import Frame
from tests.engine.samples import facts

GIVEN: dict[str, Any] = {
    "workload.tp": 4,
    "workload.gpu_memory_utilization": 0.92,
    "workload.ep": True,
    "workload.model": "meta/Llama 3",
    "workload.pp": {"absent": "timeout"},
    "shm.size_bytes": 67108864,
    "memory.total_bytes": 25_231_360_000,
    "visible.devices": [2, 3],
    "visible.entries": ["a b", "c"],
    "visible.duplicates": [],
    "gpus.devices": [{"index": 0, "name": "A", "numa_node": 1}, {"index": 2, "name": {"absent": "timeout"}}],
    "topology.pairs": [{"a": 0, "b": 1}, {"a": 0, "b": 2}],
}


def template(text: str, *, command: bool = False) -> Template:
    return compile_template(text, {}, command=command)


def prose(text: str, given: dict[str, Any] | None = None) -> str:
    return template(text).prose(Frame(facts(GIVEN if given is None else given)))


def command(text: str, given: dict[str, Any] | None = None) -> str | None:
    return template(text, command=True).command(Frame(facts(GIVEN if given is None else given)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TP {workload.tp}", "TP 4"),
        ("{workload.gpu_memory_utilization}", "0.92"),
        ("{workload.gpu_memory_utilization|percent}", "92%"),
        ("{workload.ep}", "yes"),
        ("{shm.size_bytes|mib} {shm.size_bytes|gib}", "64 MiB 0.1 GiB"),
        ("{memory.total_bytes|gib}", "23.5 GiB"),
        ("{gib(2)|gib}", "2 GiB"),
        ("{len(visible.devices)|n_gpus}, {workload.tp - 3|n_gpus}", "2 GPUs, 1 GPU"),
        ("{workload.tp - 3|n_pairs}, {workload.tp|n_processes}", "1 pair, 4 processes"),
        ("{visible.devices}", "2, 3"),
        ("{visible.devices|csv}", "2,3"),
        ("{visible.devices|gpus}", "GPUs 2, 3"),
        ("{gpus.devices|gpus}", "GPUs 0, 2"),
        ("{first(gpus.devices)|gpus}", "GPU 0"),
        ("{topology.pairs|pairs}", "0-1, 0-2"),
        ("{visible.duplicates}", "none"),
        ("{workload.pp} of {workload.dp}", "? of ?"),
        ("{[g.name for g in gpus.devices]}", "A, ?"),
        ("{workload.model|sh}", "'meta/Llama 3'"),
        ("{visible.entries|sh}", "'a b' c"),
        ("{{literal}} {'{}'}", "{literal} {}"),
        ("{joined(visible.entries, '|')}", "a b|c"),
        ("{ workload.tp | list }", "4"),
    ],
)
def test_prose_is_written_for_people(text: str, expected: str) -> None:
    assert prose(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{visible.devices|gpus}", "gpu:2,gpu:3"),
        ("{first(gpus.devices)|gpus}", "gpu:0"),
        ("{topology.pairs|pairs}", "0-1, 0-2"),
    ],
)
def test_a_subject_is_written_for_programs(text: str, expected: str) -> None:
    assert template(text).subject(Frame(facts(GIVEN))) == expected


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("TP {workload.tpp}", "unknown fact", 4),
        ("TP {workload.tp", "never closed", 3),
        ("TP } x", "a } without {", 3),
        ("{workload.tp|hex}", "unknown filter |hex", 1),
        ("{workload.model|gib}", "|gib cannot write a text", 1),
        ("{gpus.devices}", "a template cannot write a list of Gpu", 1),
        ("{gpus.devices|pairs}", "|pairs cannot write", 1),
        ("{}", "an empty expression", 1),
        ("{{x} y}", "a } without {", 3),
        ("{workload.tp:>10}", "not an expression", 12),
        ("{workload.tp!r}", "not an expression", 12),
        ("{workload.tp.__class__}", "has no field", 1),
        ("{a {b}}", "a { inside of { }", 3),
    ],
)
def test_a_mistake_in_a_template_is_refused_with_its_column(text: str, message: str, column: int) -> None:
    with pytest.raises(SpecError) as caught:
        template(text)
    assert message in caught.value.message
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    ['echo "{workload.model}"', "echo '{workload.model}'", "echo `ls {workload.model}`", 'a "$(b {workload.tp})"'],
)
def test_a_hole_inside_quotes_of_a_command_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="inside quotes"):
        template(text, command=True)


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("x {workload.tp}", None, "x 4"),
        ("x --model={workload.model}", None, "x --model='meta/Llama 3'"),
        ("CUDA_VISIBLE_DEVICES={visible.devices|csv} x", None, "CUDA_VISIBLE_DEVICES=2,3 x"),
        ("x {visible.entries|sh}", None, "x 'a b' c"),
        ("x 'a' {workload.tp}", None, "x 'a' 4"),
        ("x {workload.pp}", None, None),
        ("x {workload.dp}", None, None),
        ("x {[g.name for g in gpus.devices]|csv}", None, None),
        ("x {[g.index for g in gpus.devices if g.numa_node == 1]|csv}", None, None),
        ("x {workload.model}", {"workload.model": "~/my models/x"}, "x ~/'my models/x'"),
        ("x {workload.model}", {"workload.model": "~/m/x"}, "x ~/m/x"),
        ("x {workload.model}", {"workload.model": ""}, "x ''"),
        ("x {workload.model}", {"workload.model": "-rf"}, None),
        ("x --m={workload.model}", {"workload.model": "-rf"}, "x --m=-rf"),
        ("x {workload.model}", {"workload.model": "a\x1b[31mb"}, None),
        ("x {workload.model}", {"workload.model": "a\nb"}, None),
        ("x {workload.model}", {"workload.model": "a" * 5000}, None),
        ("x {visible.devices|csv}", {"visible.devices": [*range(65)]}, None),
    ],
)
def test_a_command_is_quoted_or_left_out(text: str, given: dict[str, Any] | None, expected: str | None) -> None:
    assert command(text, given) == expected


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="ab '\"$`\\;&|<>(){}*?!~#=-\n\t", max_size=12))
def test_a_shell_reads_back_exactly_the_value(value: str) -> None:
    line = command("printf %s {workload.model}", {"workload.model": value})
    if line is None:
        assert value.startswith("-") or "\n" in value or "\t" in value
        return
    home = "/home/of/nobody"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, env={"HOME": home}, check=True)
    expected = home + value[1:] if value.startswith("~/") and len(value) > 2 else value
    assert done.stdout == expected


def test_a_value_of_a_change_is_data_and_not_quoted() -> None:
    frame = Frame(facts(GIVEN))
    assert template("{workload.model}").plain(frame) == "meta/Llama 3"
    assert template("{workload.pp}").plain(frame) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\r\nb\tc", "a b c"),
        ("a\u202eb\u2066c\u200bd", "abcd"),
        ("a\x00\x07\x9b1mb", "ab"),
        ("x" * 500, "x" * 299 + "…"),
        ("größe 日本", "größe 日本"),
    ],
)
def test_prose_loses_terminal_control_and_is_bounded(value: str, shown: str) -> None:
    assert prose("{workload.model}", {"workload.model": value}) == shown


def test_a_surrogate_from_an_odd_argument_does_not_break_the_report() -> None:
    assert prose("{workload.model}", {"workload.model": "a\udc80b"}) == "ab"


def test_a_long_list_says_how_many_more() -> None:
    text = prose("{visible.devices|csv}", {"visible.devices": [*range(1000)]})
    assert text.endswith(",63,… 936 more")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}|'\"workload.tp list ", max_size=40))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        compiled = template(text, command=True)
    except SpecError:
        return
    line = compiled.command(Frame(facts(GIVEN)))
    if line is not None and "'" not in text and '"' not in text:
        shlex.split(line)
