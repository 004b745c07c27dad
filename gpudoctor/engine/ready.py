"""Compiled expressions as data, so that a packed rule need not be compiled again at every start.

A compiled expression is a function of ours that holds others, and plain values. What is written is which functions
these are, by module, name and line, and what they hold: no code, and nothing that could name any but our own. What many
rules have in common (`group.size > 1`) is there once. It means the same under every Python, and nothing once a source
file has changed, which `packed` looks after.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from types import BuiltinFunctionType, CellType, CodeType, FunctionType
from typing import Final, Literal, NamedTuple, TypeVar

from msgspec import Struct

from gpudoctor.engine.patterns import compile_pattern
from gpudoctor.engine.problem import SpecError

T = TypeVar("T")
Plain = bool | int | float | str | None
Form = Literal["plain", "tuple", "list", "set", "struct", "named", "search", "closure"]

_OURS: Final = "gpudoctor."
_OPERATORS: Final = operator.eq.__module__
_INSIDE: Final = ".<locals>."


class Part(Struct, frozen=True, array_like=True):
    """A value: what it is made of lies before it, `parts`; a function or class is called by module and name.

    A function that is made inside of that one is called by its line too.
    """

    form: Form
    parts: tuple[int, ...] = ()
    module: str = ""
    name: str = ""
    line: int = 0
    plain: Plain = None


class NotReadyError(Exception):
    """It holds something that has no form as data, or names what is not there."""


class Writer:
    """Collects parts, each once."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._places: dict[tuple[Part, type], int] = {}

    def put(self, value: object) -> int:
        """Where the value is. Raises NotReadyError."""
        part = self._part(value)
        key = (part, type(part.plain))  # 1 and True are equal, and not the same
        if key not in self._places:
            self._places[key] = len(self.parts)
            self.parts.append(part)
        return self._places[key]

    def _part(self, value: object) -> Part:
        if value is None or isinstance(value, bool | int | float | str):
            return Part("plain", plain=value)
        if isinstance(value, tuple | list | frozenset):
            form: Form = "tuple" if isinstance(value, tuple) else "list" if isinstance(value, list) else "set"
            return Part(form, tuple(self.put(item) for item in (sorted(value) if form == "set" else value)))
        if isinstance(value, Struct):
            held = (getattr(value, name) for name in value.__struct_fields__)
            return Part("struct", (self.put(type(value)), *(self.put(item) for item in held)))
        if isinstance(value, FunctionType) and _INSIDE in value.__qualname__:
            return self._closure(value)
        if isinstance(value, type | FunctionType):
            return _checked(Part("named", module=value.__module__, name=value.__qualname__), value)
        if isinstance(value, BuiltinFunctionType):
            return self._builtin(value)
        raise NotReadyError(f"{type(value).__name__} has no form as data")

    def _closure(self, value: FunctionType) -> Part:
        outer = value.__qualname__.partition(_INSIDE)[0]
        line = value.__code__.co_firstlineno
        found = _template(value.__module__, outer, line).code
        if found is not value.__code__ or value.__defaults__ or value.__kwdefaults__:
            raise NotReadyError(f"{value.__qualname__} cannot be found again")
        held = tuple(self.put(cell.cell_contents) for cell in value.__closure__ or ())
        return Part("closure", held, value.__module__, outer, line)

    def _builtin(self, value: BuiltinFunctionType) -> Part:
        pattern = value.__self__
        if isinstance(pattern, re.Pattern) and value.__name__ == "search":
            return Part("search", plain=pattern.pattern)
        return _checked(Part("named", module=_OPERATORS, name=value.__name__), value)


class Reader:
    """Makes values of parts when they are asked for, each once."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._made: dict[int, object] = {}

    def take(self, place: int, kind: type[T]) -> T:
        """The value there, which is of this kind. Raises NotReadyError."""
        try:
            value = self._get(place)
        except (LookupError, AttributeError, ImportError, TypeError, ValueError, RecursionError, SpecError) as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error
        if not isinstance(value, kind):
            raise NotReadyError(f"a {type(value).__name__} where a {kind.__name__} belongs")
        return value

    def _get(self, place: int) -> object:
        made = self._made
        if place not in made:
            part = self._parts[place]
            made[place] = _MAKERS[part.form](part, [self._get(inner) for inner in part.parts])
        return made[place]


def _closure(part: Part, held: list[object]) -> object:
    template = _template(part.module, part.name, part.line)
    return FunctionType(template.code, template.names, template.code.co_name, None, tuple(map(CellType, held)))


class _Template(NamedTuple):
    code: CodeType
    names: dict[str, object]


@cache
def _template(module: str, outer: str, line: int) -> _Template:
    """The function on this line inside of `outer`; that there is one only is up to how our modules are written."""
    codes = [code for code in _codes_in(_code_of(module, outer)) if code.co_firstlineno == line]
    if len(codes) != 1 or list(codes[0].co_freevars) != sorted(codes[0].co_freevars):
        raise NotReadyError(f"{module} has no single function on line {line} of {outer}")
    return _Template(codes[0], vars(import_module(module)))


def _code_of(module: str, name: str) -> CodeType:
    found = _named(module, name)
    if not isinstance(found, FunctionType):
        raise NotReadyError(f"{name} is no function")
    return found.__code__


@cache
def _named(module: str, name: str) -> object:
    """A function or class of ours, or an operator; nothing that a module of ours has from elsewhere."""
    if not module.startswith(_OURS) and module != _OPERATORS:
        raise NotReadyError(f"{module} is not ours")
    found: object = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if getattr(found, "__module__", None) != module:
        raise NotReadyError(f"{name} is not of {module}")
    return found


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    """The functions that are made inside of one; a comprehension is one for some versions of Python only."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == "<lambda>" or constant.co_name.isidentifier():
                yield constant
            yield from _codes_in(constant)


def _checked(part: Part, value: object) -> Part:
    if _named(part.module, part.name) is not value:
        raise NotReadyError(f"{part.name} is another thing by now")
    return part


def _struct(_: Part, held: list[object]) -> object:
    kind, *values = held
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        raise NotReadyError("no struct")
    return kind(*values)


_MAKERS: Final[dict[str, Callable[[Part, list[object]], object]]] = {
    "plain": lambda part, _: part.plain,
    "tuple": lambda _, held: tuple(held),
    "list": lambda _, held: held,
    "set": lambda _, held: frozenset(held),
    "struct": _struct,
    "named": lambda part, _: _named(part.module, part.name),
    "search": lambda part, _: compile_pattern(str(part.plain)).search,
    "closure": _closure,
}
