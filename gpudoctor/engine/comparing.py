"""Which comparisons mean anything."""

from __future__ import annotations

from gpudoctor.engine import operators
from gpudoctor.engine.kinds import ANY_LIST, STR, Kind, comparable
from gpudoctor.engine.node import Node, Run
from gpudoctor.engine.problem import SpecError


def comparison_of(name: str, left: Node, right: Node) -> Run:
    """The comparison `name` (of `ast`: Lt, NotIn ...) of two nodes. Raises SpecError where kinds do not go together."""
    if name in ("In", "NotIn"):
        _check_membership(left, right)
        return operators.membership(left.run, right.run, negated=name == "NotIn")
    if name not in operators.COMPARISONS:
        raise SpecError("'is' is not part of the rule language", "use == or known(x)", left.column)
    if not comparable(left.kind, right.kind):
        message = f"a {left.kind} cannot be compared with a {right.kind}"
        raise SpecError(message, _hint(left.kind, right.kind), left.column)
    ordered = left.kind.number or left.kind.name == "version"
    if name not in ("Eq", "NotEq") and not ordered:
        hint = "version(x) < version('2.18') compares versions, number(x) reads a number"
        raise SpecError(f"a {left.kind} has no order", hint, left.column)
    return operators.comparison(operators.COMPARISONS[name], left.run, right.run)


def _check_membership(left: Node, right: Node) -> None:
    element = right.kind.element
    if right.kind == ANY_LIST or (right.kind.name == "map" and left.kind == STR):
        return
    if element is None:
        hint = "contains(x, 'part') looks inside a text" if right.kind == STR else ""
        raise SpecError(f"'in' needs a list or map, not a {right.kind}", hint, right.column)
    if not comparable(left.kind, element):
        raise SpecError(f"a {left.kind} cannot be in a {right.kind}", column=left.column)


def _hint(left: Kind, right: Kind) -> str:
    names = {left.name, right.name}
    if names == {"str", "version"}:
        return "version(...) on both sides"
    if "str" in names and names & {"int", "float"}:
        return "take the quotes away, or number(x) for a text that holds a number"
    return "use 'in', count(...) or a comprehension" if "list" in names else ""
