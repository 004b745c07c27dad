"""Expressions: Python's syntax, parsed and checked at load, never run as Python."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Final

from gpudoctor.engine import operators, quantifiers
from gpudoctor.engine.catalogue import did_you_mean, fields
from gpudoctor.engine.comparing import comparison_of
from gpudoctor.engine.comprehension import Loop, collected, rows_of
from gpudoctor.engine.functions import FUNCTIONS
from gpudoctor.engine.kinds import ANY_LIST, BOOL, FLOAT, INT, STR, Kind, common, list_of
from gpudoctor.engine.names import SEEN, check_name
from gpudoctor.engine.node import Expression, Node, Run
from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.reading import always, bound, fact_of, field_of, list_from, map_entry, section_of, seen_of
from gpudoctor.engine.syntax import parse_expression
from gpudoctor.engine.values import Known, Many
from gpudoctor.model.facts import Facts

MAX_NESTING: Final = 40
_MAX_LITERAL: Final = 100


def compile_expression(text: str, names: Mapping[str, Kind]) -> Expression:
    """Compile `text`. Raises SpecError with the column of what is wrong."""
    source = " ".join(text.splitlines()) if "\n" in text else text
    lead = len(source) - len(source.lstrip())
    try:
        node = _Compiler(source.strip(), names).compile()
    except SpecError as error:
        raise SpecError(error.message, error.hint, error.column + lead if error.column >= 0 else -1) from error
    return Expression(source.strip(), node.kind, node.run)


def compile_condition(text: str, names: Mapping[str, Kind]) -> Expression:
    """Compile what must be true or false, or a list (true when not empty)."""
    expression = compile_expression(text, names)
    if not expression.kind.truthy:
        raise SpecError(
            f"a condition must be true/false or a list, not a {expression.kind}", "compare it with something"
        )
    return expression


class _Compiler:
    """One expression. A method for each kind of syntax; what has no method is not part of the language."""

    def __init__(self, text: str, names: Mapping[str, Kind]) -> None:
        self._text = text
        self._names = names
        self._bound: dict[str, Kind] = {}
        self._depth = 0
        self._methods: dict[type[ast.AST], Callable[..., Node]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Compare: self._compare,
            ast.BoolOp: self._bool,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.IfExp: self._choice,
            ast.List: self._list,
            ast.Tuple: self._list,
            ast.ListComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.Call: self._call,
        }

    def compile(self) -> Node:
        node = self._node(parse_expression(self._text))
        if node.kind.name == "section":
            raise SpecError("a whole section is no value", "name one of its facts")
        return node

    def _column(self, node: ast.AST) -> int:
        offset = getattr(node, "col_offset", 0)
        return offset if self._text.isascii() else len(self._text.encode()[:offset].decode(errors="ignore"))

    def _error(self, node: ast.AST, message: str, hint: str = "") -> SpecError:
        return SpecError(message, hint, self._column(node))

    def _node(self, node: ast.expr) -> Node:
        method = self._methods.get(type(node))
        if method is None:
            raise self._error(node, f"{type(node).__name__} is not part of the rule language", "see docs/rules.md")
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._error(node, f"nested more than {MAX_NESTING} deep", "split it with let")
        compiled = method(node)
        self._depth -= 1
        return compiled

    def _condition(self, node: ast.expr) -> Run:
        compiled = self._node(node)
        if not compiled.kind.truthy:
            raise self._error(node, f"a {compiled.kind} is no condition", "compare it with something")
        return compiled.run

    def _constant(self, node: ast.Constant) -> Node:
        value = node.value
        column = self._column(node)
        if isinstance(value, bool):
            return Node(BOOL, always(Known(value)), column, value)
        if isinstance(value, (int, str)):
            return Node(INT if isinstance(value, int) else STR, always(Known(value)), column, value)
        if isinstance(value, float) and math.isfinite(value):
            return Node(FLOAT, always(Known(value)), column, value)
        hint = "ask known(x)" if value is None else "numbers, texts, True and False"
        raise self._error(node, f"{value!r} is not a constant of the rule language", hint)

    def _name(self, node: ast.Name) -> Node:
        name = node.id
        kind = self._bound.get(name) or self._names.get(name)
        if kind is not None:
            return Node(kind, bound(name), self._column(node))
        field = fields(Facts).get(name)
        if field is None:
            known = {*self._bound, *self._names, *fields(Facts), "True", "False"}
            hint = "it is a function" if name in FUNCTIONS else did_you_mean(name, known)
            raise self._error(node, f"unknown name {name!r}", hint)
        return Node(field.kind, section_of(name), self._column(node))

    def _attribute(self, node: ast.Attribute) -> Node:
        if isinstance(node.value, ast.Name) and node.value.id == SEEN:
            return self._hits(node)
        owner = self._node(node.value)
        section = node.value.id if owner.kind.name == "section" and isinstance(node.value, ast.Name) else ""
        if owner.kind.struct is None:
            hint = "take one item: first(...), or a comprehension" if owner.kind.name == "list" else ""
            raise self._error(node, f"a {owner.kind} has no field {node.attr!r}", hint)
        name, field = node.attr, fields(owner.kind.struct).get(node.attr)
        if field is None:
            hint = did_you_mean(name, fields(owner.kind.struct))
            raise self._error(node, f"unknown fact {ast.unparse(node)!r}", hint)
        run = fact_of(section, name, field) if section else field_of(owner.run, name, field)
        return Node(field.kind, run, self._column(node))

    def _hits(self, node: ast.Attribute) -> Node:
        """`seen.name` of the rule itself, `seen.other_rule__name` of another: an empty list where no log has it."""
        from gpudoctor.model.signature import Hit

        name = node.attr
        own = {known.partition(".")[2] for known in self._names if known.startswith(f"{SEEN}.")}
        if name not in own and "__" not in name:
            hint = did_you_mean(name, own) or "seen.other_rule__name for one of another rule"
            raise self._error(node, f"no signature is called {name!r}", hint)
        kind = list_of(Kind("item", struct=Hit))
        return Node(kind, seen_of(name), self._column(node))

    def _subscript(self, node: ast.Subscript) -> Node:
        owner, index = self._node(node.value), self._node(node.slice)
        column = self._column(node)
        if owner.kind.name == "map":
            if index.kind != STR:
                raise self._error(node.slice, "a map is asked by name", "like environment.variables['NCCL_DEBUG']")
            return Node(STR, map_entry(owner.run, index.run), column)
        if owner.kind.element is None:
            raise self._error(node, f"a {owner.kind} has no items")
        if not isinstance(index.constant, int) or isinstance(index.constant, bool):
            raise self._error(node.slice, "a list is asked by a constant position", "or use first(...)")
        return Node(owner.kind.element, quantifiers.item(owner.run, index.constant), column)

    def _compare(self, node: ast.Compare) -> Node:
        operands = [self._node(operand) for operand in (node.left, *node.comparators)]
        parts = [
            comparison_of(type(operation).__name__, left, right)
            for operation, left, right in zip(node.ops, operands, operands[1:], strict=False)
        ]
        return Node(BOOL, parts[0] if len(parts) == 1 else operators.conjunction(parts), self._column(node))

    def _bool(self, node: ast.BoolOp) -> Node:
        parts = [self._condition(value) for value in node.values]
        join = operators.conjunction if isinstance(node.op, ast.And) else operators.disjunction
        return Node(BOOL, join(parts), self._column(node))

    def _unary(self, node: ast.UnaryOp) -> Node:
        column = self._column(node)
        if isinstance(node.op, ast.Not):
            return Node(BOOL, operators.negation(self._condition(node.operand)), column)
        operand = self._node(node.operand)
        if not isinstance(node.op, ast.USub) or not operand.kind.number:
            raise self._error(node, "only 'not' and '-' of a number stand before a value")
        constant = operand.constant
        zero = always(Known(0))
        run = operators.arithmetic("Sub", zero, operand.run, self._text)
        return Node(operand.kind, run, column, -constant if isinstance(constant, (int, float)) else None)

    def _binary(self, node: ast.BinOp) -> Node:
        left, right = self._node(node.left), self._node(node.right)
        name = type(node.op).__name__
        if name not in operators.ARITHMETIC:
            raise self._error(node, f"the operator {name} is not part of the rule language", "+ - * / // %")
        if not (left.kind.number and right.kind.number):
            hint = 'a template puts texts together: "{a}/{b}"' if STR in (left.kind, right.kind) else ""
            raise self._error(node, f"arithmetic of a {left.kind} and a {right.kind}", hint)
        kind = INT if left.kind == right.kind == INT and name != "Div" else FLOAT
        run = operators.arithmetic(name, left.run, right.run, ast.unparse(node))
        return Node(kind, run, self._column(node))

    def _choice(self, node: ast.IfExp) -> Node:
        condition = self._condition(node.test)
        then, otherwise = self._node(node.body), self._node(node.orelse)
        kind = common(then.kind, otherwise.kind)
        if kind is None:
            raise self._error(node, f"one of {then.kind} and {otherwise.kind} is no kind of value")
        return Node(kind, operators.choice(condition, then.run, otherwise.run), self._column(node))

    def _list(self, node: ast.List | ast.Tuple) -> Node:
        if len(node.elts) > _MAX_LITERAL:
            raise self._error(
                node, f"a list of more than {_MAX_LITERAL} values", "a table belongs into data, not a rule"
            )
        items = [self._node(element) for element in node.elts]
        if not items:
            return Node(ANY_LIST, always(Many(())), self._column(node))
        kind = items[0].kind
        for item in items:
            merged_kind = common(kind, item.kind)
            if merged_kind is None or merged_kind.name not in ("bool", "int", "float", "str", "version"):
                raise SpecError("a list holds plain values of one kind", column=item.column)
            kind = merged_kind
        return Node(list_of(kind), list_from([item.run for item in items]), self._column(node))

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Node:
        outer = dict(self._bound)
        loops = [self._loop(generator) for generator in node.generators]
        element = self._node(node.elt)
        self._bound = outer
        if element.kind.name in ("section", "map"):
            raise self._error(node.elt, f"a list of {element.kind} is not supported", "choose a field")
        rows = rows_of(loops, element.run)
        return Node(list_of(element.kind), collected(rows), self._column(node), rows=rows)

    def _loop(self, generator: ast.comprehension) -> Loop:
        target = generator.target
        if generator.is_async or not isinstance(target, ast.Name):
            raise self._error(target, "a comprehension binds one plain name", "[g for g in gpus.devices if ...]")
        items = self._node(generator.iter)
        element = STR if items.kind.name == "map" else items.kind.element
        if element is None:
            raise self._error(generator.iter, f"a {items.kind} has no items to go through")
        check_name(target.id, {*self._names, *self._bound}, self._column(target))
        self._bound[target.id] = element
        conditions = tuple(self._condition(condition) for condition in generator.ifs)
        return Loop(target.id, items.run, conditions)

    def _call(self, node: ast.Call) -> Node:
        if not isinstance(node.func, ast.Name):
            raise self._error(node, "only the functions of docs/rules.md can be called")
        if node.func.id not in FUNCTIONS:
            raise self._error(node, f"unknown function {node.func.id}()", did_you_mean(node.func.id, FUNCTIONS))
        if node.keywords:
            raise self._error(node, "arguments have no names here")
        return FUNCTIONS[node.func.id]([self._node(argument) for argument in node.args], self._column(node))
