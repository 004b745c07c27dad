"""Expressions: what they mean, and what is refused when they are compiled, with the column."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.engine.expression import compile_condition, compile_expression
from gpudoctor.engine.kinds import INT
from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.values import Absent, Frame, Known, Many
from tests.engine.samples import evaluate, facts, truth_of

WORDS = [
    *("workload.tp", "gpus.devices", "environment.variables", "known", "count", "version", "'a'", "1", "g"),
    *("for", "in", "if", "else", "not", "and", "or", "==", "\\"),
    *"()[]<+-,:.{",
]
GPUS: dict[str, Any] = {
    "workload.tp": 4,
    "gpus.visible_count": 2,
    "nccl.winner_version": "2.18.10",
    "workload.gpu_memory_utilization": 0.9,
    "environment.variables": {"NCCL_DEBUG": "INFO", "NCCL_P2P_DISABLE": "1"},
    "driver.device_nodes": ["/dev/nvidia0", "/dev/nvidia1"],
    "topology.pairs": [{"a": 0, "b": 1, "link": "SYS"}, {"a": 0, "b": 2, "link": "NV4"}],
    "gpus.devices": [
        {"index": 0, "name": "A", "memory_total_bytes": 100, "processes": [{"pid": 7, "used_bytes": 5}]},
        {"index": 2, "name": "B", "memory_total_bytes": 50, "processes": []},
    ],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("workload.tp + 1", 5),
        ("workload.tp // 3 * 2 - -1", 3),
        ("workload.tp / 8", 0.5),
        ("workload.tp % 3", 1),
        ("1 < workload.tp <= 4", True),
        ("workload.gpu_memory_utilization > 0", True),
        ("workload.tp if gpus.visible_count > 4 else 7", 7),
        ("count([p for p in topology.pairs if p.link == 'SYS'])", 1),
        ("count(g for g in gpus.devices)", 2),
        ("any(g.index == 2 for g in gpus.devices)", True),
        ("all(g.memory_total_bytes > 60 for g in gpus.devices)", False),
        ("any([])", False),
        ("sum(g.memory_total_bytes for g in gpus.devices)", 150),
        ("min(g.memory_total_bytes for g in gpus.devices)", 50),
        ("max(1, workload.tp, 2)", 4),
        ("first(gpus.devices).name", "A"),
        ("gpus.devices[-1].index", 2),
        ("count([p for g in gpus.devices for p in g.processes])", 1),
        ("len(driver.device_nodes)", 2),
        ("len('abc')", 3),
        ("environment.variables['NCCL_DEBUG'] == 'INFO'", True),
        ("'NCCL_DEBUG' in environment.variables", True),
        ("'NCCL_X' not in environment.variables", True),
        ("any(environment.variables[n] == '1' for n in environment.variables if startswith(n, 'NCCL_'))", True),
        ("version(nccl.winner_version) > version('2.18.9')", True),
        ("version(nccl.winner_version) == version('v2.18.10.0')", True),
        ("lower('ABC') == 'abc'", True),
        ("contains('hello', 'ell') and endswith('hello', 'lo') and not startswith('hello', 'x')", True),
        ("basename('/usr/lib/libnccl.so.2')", "libnccl.so.2"),
        ("'b' in split('a, b', ',')", True),
        ("number('12') + 1", 13),
        ("gib(2) == 2 * mib(1024)", True),
        ("joined(sorted(unique([g.name for g in gpus.devices])), '/')", "A/B"),
        ("matches('NVIDIA GeForce RTX 4090', r'RTX [345]0\\d0$')", True),
        ("'SYS' in [p.link for p in topology.pairs]", True),
        ("default(workload.pp, 1)", 1),
        ("known(workload.pp) or known(workload.tp)", True),
    ],
)
def test_an_expression_means_what_it_says(text: str, value: object) -> None:
    found = evaluate(text, GPUS)
    assert isinstance(found, Known)
    assert found.value == value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("workload.tpp > 1", 0, "unknown fact 'workload.tpp'"),
        ("1 < wrkload.tp", 4, "unknown name 'wrkload'"),
        ("workload.tp > '2'", 0, "a whole number cannot be compared with a text"),
        ("workload.dtype < 'fp16'", 0, "a text has no order"),
        ("version(nccl.winner_version) < '2.18'", 0, "cannot be compared"),
        ("1 < 2 and workload.tp", 10, "a whole number is no condition"),
        ("knwon(workload.tp)", 0, "unknown function knwon()"),
        ("known(workload.tp, 1)", 0, "known() takes 1 argument, not 2"),
        ("known()", 0, "takes 1 argument, not 0"),
        ("lower(workload.tp)", 6, "lower() takes a text"),
        ("version('latest') < version('2')", 8, "'latest' is not a version"),
        ("[g.nam for g in gpus.devices]", 1, "unknown fact 'g.nam'"),
        ("[g for g in gpus.devices if g.index]", 28, "a whole number is no condition"),
        ("[g for g in workload.tp]", 12, "has no items to go through"),
        ("[gpus for gpus in gpus.devices]", 10, "the name 'gpus' is taken"),
        ("[g for g in gpus.devices for g in gpus.visible]", 29, "the name 'g' is taken"),
        ("[any for any in gpus.devices]", 9, "is taken"),
        ("gpus.devices.name", 0, "has no field 'name'"),
        ("gpus.devices['x']", 13, "a list is asked by a constant position"),
        ("environment.variables[0]", 22, "a map is asked by name"),
        ("workload.tp in workload.dtype", 15, "'in' needs a list"),
        ("workload.tp in ['a']", 0, "cannot be in a list of text"),
        ("[1, 'a']", 4, "plain values of one kind"),
        ("workload.tp is 2", 0, "'is' is not part"),
        ("workload.tp ** 2", 0, "the operator Pow is not part"),
        ("workload.tp & 2", 0, "the operator BitAnd"),
        ("workload.dtype + 'x'", 0, "arithmetic of a text"),
        ("~workload.tp", 0, "only 'not' and '-'"),
        ("None", 0, "None is not a constant"),
        ("b'x'", 0, "is not a constant"),
        ("1e999", 0, "is not a constant"),
        ("f'{workload.tp}'", 0, "JoinedStr is not part of the rule language"),
        ("lambda: 1", 0, "Lambda is not part"),
        ("(x := 1)", 1, "NamedExpr is not part"),
        ("{'a': 1}", 0, "Dict is not part"),
        ("{g for g in gpus.devices}", 0, "SetComp is not part"),
        ("workload.tp.real", 0, "has no field 'real'"),
        ("''.join([])", 0, "only the functions"),
        ("known(x=workload.tp)", 0, "arguments have no names"),
        ("known(*workload.tp)", 6, "Starred is not part"),
        ("__import__('os')", 0, "unknown function __import__()"),
        ("workload", -1, "a whole section is no value"),
        ("matches(workload.dtype, workload.model)", 24, "constant pattern"),
        ("matches(workload.dtype, '(a+)+')", 24, "a repeated group"),
        ("default(workload.tp, 'x')", 21, "cannot be a text"),
        ("default(workload.tp, workload.pp)", 21, "takes a constant"),
        ("all(gpus.devices)", 4, "all() takes conditions"),
        ("sum(gpus.models)", 0, "a list of numbers"),
        ("1 if workload.tp else 2", 5, "is no condition"),
        ("1 if True else 'a'", 0, "is no kind of value"),
        ("workload.tp >", 12, "not an expression"),
        ("", -1, "an empty expression"),
        ("'\\d'", 0, "not an expression"),
        ("ä.tp == 1 and wrkload", 0, "unknown name 'ä'"),
        ("'ä' == 'ä' and wrkload", 15, "unknown name 'wrkload'"),
    ],
)
def test_a_mistake_is_refused_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        compile_expression(text, {})
    assert message in caught.value.message
    assert caught.value.column == column


def test_a_typo_gets_a_suggestion() -> None:
    with pytest.raises(SpecError) as caught:
        compile_expression("gpus.visible_cuont", {})
    assert caught.value.hint == "did you mean visible_count or visible?"


def test_a_pattern_with_a_plain_backslash_is_told_about_raw_strings() -> None:
    with pytest.raises(SpecError) as caught:
        compile_expression(r"matches(workload.dtype, '\d')", {})
    assert "r'...'" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "1" + ")" * 900,
        "not " * 400 + "True",
        "-" * 1900 + "1",
        "[" * 500,
        "1" + "+1" * 900,
        "1 if True else " * 130 + "1",
        "workload" + ".tp" * 600,
        "first(" * 300 + "[]" + ")" * 300,
        "x" * 3000,
        "9" * 1999,
        "workload.tp\x00",
        "\ud800",
    ],
)
def test_deep_or_long_expressions_are_refused_and_do_not_crash(text: str) -> None:
    with pytest.raises(SpecError):
        compile_condition(text, {})


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(WORDS),
            max_size=25,
        ).map(" ".join),
    )
)
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        expression = compile_expression(text, {})
    except SpecError:
        return
    assert isinstance(expression.run(Frame(facts())), (Known, Absent, Many))


def test_a_let_that_binds_the_same_name_does_not_disturb_the_item_bound_outside() -> None:
    other = compile_expression("[g.index for g in gpus.devices if g.index == 2]", {})
    text = "[g.index for g in gpus.devices if g.index not in other]"
    expression = compile_expression(text, {"other": other.kind})
    found = expression.run(Frame(facts(GPUS), {"other": other.run}))
    assert isinstance(found, Many)
    assert [value.value for value in found.values if isinstance(value, Known)] == [0]


def test_a_let_is_computed_once() -> None:
    calls = []

    def run(frame: Frame) -> Known:
        calls.append(frame)
        return Known(3)

    expression = compile_expression("three + three", {"three": INT})
    assert expression.run(Frame(facts(), {"three": run})) == Known(6)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("workload.tp", ["workload.tp"]),
        ("first(gpus.devices).name", ["gpus.devices[0].name"]),
        ("min(g.memory_total_bytes for g in gpus.devices)", ["gpus.devices[2].memory_total_bytes"]),
        ("[p.link for p in topology.pairs if p.link == 'NV4']", ["topology.pairs[0-2].link"]),
        ("[p.used_bytes for g in gpus.devices for p in g.processes]", ["gpus.devices[0].processes[7].used_bytes"]),
        ("environment.variables['NCCL_DEBUG']", ["environment.variables[NCCL_DEBUG]"]),
        ("workload.tp + 1", [""]),
    ],
)
def test_a_value_knows_which_fact_it_is(text: str, paths: list[str]) -> None:
    found = evaluate(text, GPUS)
    values = found.values if isinstance(found, Many) else (found,)
    assert [value.path for value in values if isinstance(value, Known)] == paths


def test_a_hostile_list_ends_the_evaluation_of_the_rule() -> None:
    many = {"kernel_log.xids": [{"code": code} for code in range(2000)]}
    from gpudoctor.engine.values import EvaluationLimitError

    with pytest.raises(EvaluationLimitError):
        truth_of("all(any(a.code == b.code for b in kernel_log.xids) for a in kernel_log.xids)", many)


def test_a_long_list_in_one_loop_is_fine() -> None:
    many = {"kernel_log.xids": [{"code": code} for code in range(50_000)]}
    assert truth_of("any(x.code == 49999 for x in kernel_log.xids)", many) is True
