"""Random conditions against a reference evaluator, and against every way in which the missing facts could turn out."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.engine.values import Unknown
from tests.engine.samples import truth_of

SCALARS = ("tp", "pp", "dp")
VALUES = (0, 1, 2)
COMPARISONS = {"==": int.__eq__, "!=": int.__ne__, "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}

# A condition is a nested tuple; a fact is a number, None for unknown, "na" for what does not exist.
Condition = tuple[Any, ...]
Facts = dict[str, Any]

scalar = st.sampled_from(SCALARS)
constant = st.sampled_from(VALUES)
sign = st.sampled_from(sorted(COMPARISONS))
leaf = st.one_of(
    st.tuples(st.just("compare"), scalar, sign, constant),
    st.tuples(st.just("pair"), scalar, sign, scalar),
    st.tuples(st.sampled_from(["any", "all", "some", "chosen_any", "chosen_all"]), sign, constant, sign, constant),
)
conditions = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.tuples(st.just("and"), inner, inner),
        st.tuples(st.just("or"), inner, inner),
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("if"), inner, inner, inner),
    ),
    max_leaves=6,
)
fact = st.sampled_from([*VALUES, None, "na"])
item = st.tuples(fact, fact)
worlds = st.fixed_dictionaries(
    {"tp": fact, "pp": fact, "dp": fact, "items": st.one_of(st.lists(item, max_size=3), st.just("na"), st.none())}
)


def text_of(condition: Condition) -> str:  # noqa: PLR0911  one line a form
    match condition:
        case ("compare", name, op, value):
            return f"workload.{name} {op} {value}"
        case ("pair", left, op, right):
            return f"workload.{left} {op} workload.{right}"
        case ("and" | "or" as word, left, right):
            return f"({text_of(left)} {word} {text_of(right)})"
        case ("not", part):
            return f"(not {text_of(part)})"
        case ("if", test, then, otherwise):
            return f"(({text_of(then)} and True) if {text_of(test)} else ({text_of(otherwise)} and True))"
        case ("some", op, value, _, _):
            return f"[g for g in gpus.devices if g.numa_node {op} {value}]"
        case ("any" | "all" as word, op, value, _, _):
            return f"{word}(g.numa_node {op} {value} for g in gpus.devices)"
        case (word, op, value, op2, value2):
            word = word.removeprefix("chosen_")
            return f"{word}(g.numa_node {op} {value} for g in gpus.devices if g.pcie_width {op2} {value2})"
    raise AssertionError(condition)


def compare(left: Any, op: str, right: Any) -> bool | None:
    if "na" in (left, right):
        return False
    return None if None in (left, right) else COMPARISONS[op](left, right)


def every(parts: list[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def some(parts: list[bool | None]) -> bool | None:
    return True if True in parts else None if None in parts else False


def reference(condition: Condition, world: Facts) -> bool | None:  # noqa: PLR0911  one line a form
    match condition:
        case ("compare", name, op, value):
            return compare(world[name], op, value)
        case ("pair", left, op, right):
            return compare(world[left], op, world[right])
        case ("and", left, right):
            return every([reference(left, world), reference(right, world)])
        case ("or", left, right):
            return some([reference(left, world), reference(right, world)])
        case ("not", part):
            found = reference(part, world)
            return None if found is None else not found
        case ("if", test, then, otherwise):
            decided = reference(test, world)
            return None if decided is None else reference(then if decided else otherwise, world)
        case (word, *rest):
            return quantified(word, rest, world["items"])
    raise AssertionError(condition)


def quantified(word: str, rest: list[Any], items: Any) -> bool | None:
    op, value, op2, value2 = rest
    if items == "na":
        return False
    if items is None:
        return None
    rows = []
    for first, second in items:
        inside = compare(second, op2, value2) if word.startswith("chosen") else True
        rows.append((inside, compare(first, op, value)))
    if word.endswith("all"):  # a row that is out is as good as one that is true
        return every([some([None if inside is None else not inside, truth]) for inside, truth in rows])
    return some([every([inside, truth]) for inside, truth in rows])


def given_of(world: Facts) -> dict[str, Any]:
    def value(fact: Any) -> Any:
        return {"absent": "timeout"} if fact is None else {"absent": "not_applicable"} if fact == "na" else fact

    found = {f"workload.{name}": value(world[name]) for name in SCALARS}
    items = world["items"]
    if isinstance(items, list):
        found["gpus.devices"] = [
            {"index": i, "numa_node": value(first), "pcie_width": value(second)}
            for i, (first, second) in enumerate(items)
        ]
    else:
        found["gpus.devices"] = value(items)
    return found


def engine(condition: Condition, world: Facts) -> bool | None:
    truth = truth_of(text_of(condition), given_of(world))
    return None if isinstance(truth, Unknown) else truth


@settings(max_examples=600, deadline=None)
@given(conditions, worlds)
def test_the_engine_agrees_with_the_reference(condition: Condition, world: Facts) -> None:
    assert engine(condition, world) is reference(condition, world)


@settings(max_examples=150, deadline=None)
@given(conditions, worlds.filter(lambda world: world["items"] is not None))
def test_a_decided_condition_stays_so_whatever_the_missing_facts_are(condition: Condition, world: Facts) -> None:
    verdict = engine(condition, world)
    if verdict is None:
        return
    items = world["items"] if isinstance(world["items"], list) else []
    flat = [world[name] for name in SCALARS] + [fact for item in items for fact in item]
    gaps = [place for place, fact in enumerate(flat) if fact is None]
    for filling in list(product(VALUES, repeat=len(gaps)))[:60]:
        whole = list(flat)
        for place, value in zip(gaps, filling, strict=True):
            whole[place] = value
        later: Facts = dict(zip(SCALARS, whole, strict=False))
        pairs = whole[len(SCALARS) :]
        later["items"] = [*zip(pairs[::2], pairs[1::2], strict=True)] if items else world["items"]
        assert engine(condition, later) is verdict


@settings(max_examples=150, deadline=None)
@given(conditions, worlds)
def test_unknown_names_only_facts_that_are_missing(condition: Condition, world: Facts) -> None:
    truth = truth_of(text_of(condition), given_of(world))
    if isinstance(truth, Unknown):
        assert truth.missing
        assert {reason for _, reason in truth.missing} == {"timeout"}
