"""The functions of the rule language: their arguments are checked at load, their results are values or absences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from gpudoctor.engine import quantifiers
from gpudoctor.engine.kinds import ANY_LIST, BOOL, FLOAT, INT, STR, VERSION, Kind, common, list_of
from gpudoctor.engine.node import Node, Rows
from gpudoctor.engine.patterns import MAX_INPUT, compile_pattern
from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.values import FALSE, TRUE, Absent, Frame, Known, Many, Value, absent, merged
from gpudoctor.engine.version import parse_version

Builder = Callable[[Sequence[Node], int], Node]

GIB: Final = 1 << 30
MIB: Final = 1 << 20
_MAX_PARTS: Final = 1000
_MAX_TEXT: Final = 64 << 10


def _arity(name: str, arguments: Sequence[Node], column: int, expected: int) -> None:
    if len(arguments) != expected:
        plural = "" if expected == 1 else "s"
        raise SpecError(f"{name}() takes {expected} argument{plural}, not {len(arguments)}", column=column)


def _want(name: str, node: Node, allowed: bool, wanted: str) -> None:
    if not allowed:
        raise SpecError(f"{name}() takes {wanted}, not a {node.kind}", column=node.column)


def _scalar(name: str, takes: Sequence[Kind], gives: Kind, apply: Callable[..., object]) -> Builder:
    """A function of values; a ValueError means that the text does not say it."""

    def build(arguments: Sequence[Node], column: int) -> Node:
        _arity(name, arguments, column, len(takes))
        for node, kind in zip(arguments, takes, strict=True):
            _want(name, node, node.kind == kind or (kind == FLOAT and node.kind == INT), f"a {kind}")
        runs = [node.run for node in arguments]

        def run(frame: Frame) -> Value:
            values = [each(frame) for each in runs]
            if not all(isinstance(value, Known) for value in values):
                return merged(*values)
            try:
                result = apply(*(cast(Known, value).value for value in values))
            except ValueError as error:
                return absent(cast(Known, values[0]).path or name, f"parse_error ({error})")
            return Many(tuple(Known(part) for part in result)) if isinstance(result, list) else Known(result)

        return Node(gives, run, column)

    return build


def _version(text: object) -> object:
    version = parse_version(str(text))
    if version is None:
        raise ValueError("not a version")
    return version


def _number(text: object) -> object:
    digits = str(text).strip()
    if not digits.lstrip("-").isdecimal() or len(digits) > 18:
        raise ValueError("not a whole number")
    return int(digits)


def _contains(text: object, part: object) -> object:
    return str(part) in str(text)


def _startswith(text: object, start: object) -> object:
    return str(text).startswith(str(start))


def _endswith(text: object, end: object) -> object:
    return str(text).endswith(str(end))


def _lower(text: object) -> object:
    return str(text).lower()


def _basename(path: object) -> object:
    return str(path).rstrip("/").rpartition("/")[2]


def _split(text: object, separator: object) -> object:
    return [part.strip() for part in str(text).split(str(separator), _MAX_PARTS)[:_MAX_PARTS]]


def _scaled(unit: int) -> Callable[[object], object]:
    return lambda number: cast("int | float", number) * unit


def _build_version(arguments: Sequence[Node], column: int) -> Node:
    node = _scalar("version", [STR], VERSION, _version)(arguments, column)
    constant = arguments[0].constant
    if isinstance(constant, str) and parse_version(constant) is None:
        raise SpecError(f"{constant!r} is not a version", "write it like '2.18.3'", arguments[0].column)
    return node


def _build_split(arguments: Sequence[Node], column: int) -> Node:
    node = _scalar("split", [STR, STR], list_of(STR), _split)(arguments, column)
    if not arguments[1].constant:
        raise SpecError("split() takes a constant separator", "write it like ','", arguments[1].column)
    return node


def _build_matches(arguments: Sequence[Node], column: int) -> Node:
    _arity("matches", arguments, column, 2)
    text, pattern = arguments
    _want("matches", text, text.kind == STR, "a text")
    if not isinstance(pattern.constant, str):
        raise SpecError("matches() takes a constant pattern", "write it like r'RTX [345]0'", pattern.column)
    try:
        search = compile_pattern(pattern.constant).search
    except SpecError as error:
        raise SpecError(error.message, error.hint, pattern.column) from error

    def run(frame: Frame) -> Value:
        value = text.run(frame)
        if not isinstance(value, Known):
            return value
        subject = str(value.value)
        if len(subject) > MAX_INPUT:
            return absent(value.path or "matches", f"not_supported (longer than {MAX_INPUT} characters)")
        return TRUE if search(subject) else FALSE

    return Node(BOOL, run, column)


def _build_known(arguments: Sequence[Node], column: int) -> Node:
    _arity("known", arguments, column, 1)
    run = arguments[0].run
    return Node(BOOL, lambda frame: FALSE if isinstance(run(frame), Absent) else TRUE, column)


def _build_default(arguments: Sequence[Node], column: int) -> Node:
    _arity("default", arguments, column, 2)
    value, fallback = arguments
    kind = common(value.kind, fallback.kind)
    if fallback.kind == ANY_LIST and value.kind.name == "list":
        kind = value.kind
    elif fallback.constant is None:
        raise SpecError("default() takes a constant as its second argument", column=fallback.column)
    if kind is None:
        raise SpecError(f"default() of a {value.kind} cannot be a {fallback.kind}", column=fallback.column)

    def run(frame: Frame) -> Value:
        found = value.run(frame)
        return fallback.run(frame) if isinstance(found, Absent) else found

    return Node(kind, run, column)


def _build_quantifier(name: str, *, decisive: bool) -> Builder:
    def build(arguments: Sequence[Node], column: int) -> Node:
        _arity(name, arguments, column, 1)
        node = arguments[0]
        element = node.kind.element
        _want(name, node, node.kind.name == "list", "a list or comprehension")
        conditions = element is not None and element.truthy
        if not conditions:
            _want(name, node, decisive, "conditions, like all(g.persistence for g in gpus.visible)")
            run = node.run  # any() of things: whether there is one
            return Node(BOOL, quantifiers.quantifier(_one_row(run), decisive=True), column)
        rows = node.rows or quantifiers.rows_of_list(node)
        return Node(BOOL, quantifiers.quantifier(rows, decisive=decisive), column)

    return build


def _one_row(run: Callable[[Frame], Value]) -> Rows:
    return lambda frame: iter([(frozenset(), run(frame))])


def _build_count(name: str) -> Builder:
    def build(arguments: Sequence[Node], column: int) -> Node:
        _arity(name, arguments, column, 1)
        node = arguments[0]
        allowed = ("list", "str", "map") if name == "len" else ("list",)
        _want(name, node, node.kind.name in allowed, "a list or comprehension")
        return Node(INT, quantifiers.count(node.run), column)

    return build


def _build_first(arguments: Sequence[Node], column: int) -> Node:
    _arity("first", arguments, column, 1)
    element = arguments[0].kind.element
    if element is None:
        raise SpecError(f"first() takes a list, not a {arguments[0].kind}", column=column)
    return Node(element, quantifiers.first(arguments[0].run), column)


def _build_extreme(name: str) -> Builder:
    finish = quantifiers.smallest if name == "min" else quantifiers.largest

    def build(arguments: Sequence[Node], column: int) -> Node:
        if len(arguments) != 1:
            return _extreme_of_numbers(name, arguments, column)
        element = arguments[0].kind.element
        if element is None or not (element.number or element == VERSION):
            raise SpecError(f"{name}() takes a list of numbers, not a {arguments[0].kind}", column=column)
        return Node(element, quantifiers.known_items(arguments[0].run, finish), column)

    return build


def _extreme_of_numbers(name: str, arguments: Sequence[Node], column: int) -> Node:
    finish = quantifiers.smallest if name == "min" else quantifiers.largest
    if not arguments:
        raise SpecError(f"{name}() takes a list, or numbers", column=column)
    for node in arguments:
        _want(name, node, node.kind.number, "a list, or numbers")
    kind = INT if all(node.kind == INT for node in arguments) else FLOAT
    runs = [node.run for node in arguments]

    def run(frame: Frame) -> Value:
        values = [each(frame) for each in runs]
        kept = [value for value in values if isinstance(value, Known)]
        return finish(kept, Many(())) if len(kept) == len(values) else merged(*values)

    return Node(kind, run, column)


def _build_sum(arguments: Sequence[Node], column: int) -> Node:
    _arity("sum", arguments, column, 1)
    element = arguments[0].kind.element
    if element is None or not element.number:
        raise SpecError(f"sum() takes a list of numbers, not a {arguments[0].kind}", column=column)
    return Node(element, quantifiers.known_items(arguments[0].run, quantifiers.total), column)


def _build_reorder(name: str) -> Builder:
    finish = quantifiers.unique if name == "unique" else quantifiers.ordered

    def build(arguments: Sequence[Node], column: int) -> Node:
        _arity(name, arguments, column, 1)
        node = arguments[0]
        element = node.kind.element
        plain = element is not None and (element.number or element.name in ("str", "version"))
        _want(name, node, plain, "a list of texts or numbers")
        return Node(node.kind, quantifiers.known_items(node.run, finish), column)

    return build


def _build_joined(arguments: Sequence[Node], column: int) -> Node:
    _arity("joined", arguments, column, 2)
    node, separator = arguments
    _want("joined", node, node.kind in (list_of(STR), list_of(INT)), "a list of texts or whole numbers")
    if not isinstance(separator.constant, str):
        raise SpecError("joined() takes a constant separator", "write it like ','", separator.column)
    glue = separator.constant

    def finish(kept: list[Known], _: Many) -> Value:
        return Known(glue.join(str(entry.value) for entry in kept)[:_MAX_TEXT])

    return Node(STR, quantifiers.known_items(node.run, finish), column)


FUNCTIONS: Final[dict[str, Builder]] = {
    "known": _build_known,
    "default": _build_default,
    "any": _build_quantifier("any", decisive=True),
    "all": _build_quantifier("all", decisive=False),
    "count": _build_count("count"),
    "len": _build_count("len"),
    "sum": _build_sum,
    "min": _build_extreme("min"),
    "max": _build_extreme("max"),
    "first": _build_first,
    "unique": _build_reorder("unique"),
    "sorted": _build_reorder("sorted"),
    "joined": _build_joined,
    "version": _build_version,
    "matches": _build_matches,
    "split": _build_split,
    "number": _scalar("number", [STR], INT, _number),
    "lower": _scalar("lower", [STR], STR, _lower),
    "basename": _scalar("basename", [STR], STR, _basename),
    "startswith": _scalar("startswith", [STR, STR], BOOL, _startswith),
    "endswith": _scalar("endswith", [STR, STR], BOOL, _endswith),
    "contains": _scalar("contains", [STR, STR], BOOL, _contains),
    "gib": _scalar("gib", [FLOAT], FLOAT, _scaled(GIB)),
    "mib": _scalar("mib", [FLOAT], FLOAT, _scaled(MIB)),
}
