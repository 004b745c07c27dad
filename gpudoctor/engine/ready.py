"""Compiled expressions as data, so that a packed rule need not be compiled again at every start.

A compiled expression is a function of ours that holds others, and plain values. What is written is which functions
these are, by module, name and line, and what they hold: no code, and nothing that could name any but our own. What many
rules have in common (`group.size > 1`) is there once. It means the same under every Python, and nothing once a source
file has changed, which `packed` looks after.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from types import BuiltinFunctionType, CellType, CodeType, FunctionType
from typing import Final, Literal, TypeVar, cast

from msgspec import Struct

from gpudoctor.lazy_pattern import lazy_pattern

T = TypeVar("T")
Plain = bool | int | float | str | None
Form = Literal["plain", "tuple", "list", "set", "dict", "struct", "named", "search", "template", "closure"]
Template = tuple[CodeType, dict[str, object], str]  # of a function: its code, the names around it, its own

_OURS: Final = "gpudoctor."
_OPERATORS: Final = operator.eq.__module__
_INSIDE: Final = ".<locals>."


class Part(Struct, frozen=True, array_like=True):
    """A value: what it is made of lies before it, `parts`.

    A function or class is called "module:name"; a function that is made inside of another, its template, by
    "module:name of that:line". A struct is made of its class and what it holds, a closure of its template and cells.
    """

    form: Form
    parts: tuple[int, ...] = ()
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
        return self._place(self._part(value))

    def _place(self, part: Part) -> int:
        key = (part, type(part.plain))  # 1 and True are equal, and not the same
        if key not in self._places:
            self._places[key] = len(self.parts)
            self.parts.append(part)
        return self._places[key]

    def _part(self, value: object) -> Part:
        if value is None or isinstance(value, bool | int | float | str):
            return Part("plain", plain=value)
        if isinstance(value, tuple | list | frozenset | dict):
            form, items = _listed(value)
            return Part(form, tuple(self.put(item) for item in items))
        if isinstance(value, Struct):
            held = (getattr(value, name) for name in value.__struct_fields__)
            return Part("struct", (self.put(type(value)), *(self.put(item) for item in held)))
        if isinstance(value, FunctionType) and _INSIDE in value.__qualname__:
            return self._closure(value)
        if isinstance(value, type | FunctionType):
            return _checked(value.__module__, value.__qualname__, value)
        if isinstance(value, BuiltinFunctionType):
            return self._builtin(value)
        raise NotReadyError(f"{type(value).__name__} has no form as data")

    def _closure(self, value: FunctionType) -> Part:
        outer = value.__qualname__.partition(_INSIDE)[0]
        place = f"{value.__module__}:{outer}:{value.__code__.co_firstlineno}"
        if _template(place)[0] is not value.__code__ or value.__defaults__ or value.__kwdefaults__:
            raise NotReadyError(f"{value.__qualname__} cannot be found again")
        held = (self.put(cell.cell_contents) for cell in value.__closure__ or ())
        return Part("closure", (self._place(Part("template", plain=place)), *held))

    def _builtin(self, value: BuiltinFunctionType) -> Part:
        pattern = value.__self__
        if isinstance(pattern, re.Pattern) and value.__name__ == "search":
            return Part("search", plain=pattern.pattern)
        return _checked(_OPERATORS, value.__name__, value)


def _listed(value: Iterable[object]) -> tuple[Form, Iterable[object]]:
    """The form of a collection, and its items in an order that is always the same."""
    if isinstance(value, dict):
        return "dict", (part for item in value.items() for part in item)
    if isinstance(value, frozenset):
        return "set", sorted(value, key=str)
    return ("tuple" if isinstance(value, tuple) else "list"), value


class Reader:
    """Makes the values of parts, all of them when one is asked for: in their order each finds what it is made of."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._made: list[object] | None = None

    def take(self, place: int, kind: type[T]) -> T:
        """The value there, which is of this kind. Raises NotReadyError."""
        if self._made is None:
            self._made = []  # and so it stays after a failure
            self._made = self._make()
        try:
            value = self._made[place]
        except IndexError:
            raise NotReadyError(f"there is no part {place}") from None
        if not isinstance(value, kind):
            raise NotReadyError(f"a {type(value).__name__} where a {kind.__name__} belongs")
        return value

    def _make(self) -> list[object]:
        """Every value. This takes a quarter of what the engine takes, so the commonest forms are made here."""
        made: list[object] = []
        add, get = made.append, made.__getitem__
        try:
            for part in self._parts:
                form = part.form
                if form == "plain":
                    add(part.plain)
                elif form == "closure":
                    template, *held = map(get, part.parts)
                    code, names, name = cast("Template", template)  # TypeError or ValueError for anything else
                    add(FunctionType(code, names, name, None, tuple(map(CellType, held))))
                elif form == "struct":
                    kind, *held = map(get, part.parts)
                    add(_struct_kind(kind)(*held))
                else:
                    add(_MAKERS[form](part, list(map(get, part.parts))))
        except (LookupError, AttributeError, ImportError, TypeError, ValueError) as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error
        return made


def _struct_kind(kind: object) -> Callable[..., Struct]:
    """Nothing but a class of structs is called. Raises NotReadyError."""
    if type(kind) is not type(Struct):
        raise NotReadyError("no struct")
    return kind


@cache
def _template(place: str) -> Template:
    """The function on this line inside of that one; that there is one only is up to how our modules are written."""
    module, outer, line = place.split(":")
    codes = [code for code in _codes_in(_code_of(module, outer)) if code.co_firstlineno == int(line)]
    if len(codes) != 1 or list(codes[0].co_freevars) != sorted(codes[0].co_freevars):
        raise NotReadyError(f"{module} has no single function on line {line} of {outer}")
    return codes[0], vars(import_module(module)), codes[0].co_name


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


def _checked(module: str, name: str, value: object) -> Part:
    if _named(module, name) is not value:
        raise NotReadyError(f"{name} is another thing by now")
    return Part("named", plain=f"{module}:{name}")


def _searcher(text: str) -> Callable[[str], re.Match[str] | None]:
    """A pattern's search. It is compiled when it is first asked; that it cannot be slow was seen when it was packed."""
    pattern = lazy_pattern(text)

    def search(value: str) -> re.Match[str] | None:
        return pattern.search(value)

    return search


_MAKERS: Final[dict[Form, Callable[[Part, list[object]], object]]] = {
    "tuple": lambda _, held: tuple(held),
    "list": lambda _, held: held,
    "set": lambda _, held: frozenset(held),
    "dict": lambda _, held: dict(zip(held[::2], held[1::2], strict=True)),
    "named": lambda part, _: _named(*str(part.plain).split(":")),
    "search": lambda part, _: _searcher(str(part.plain)),
    "template": lambda part, _: _template(str(part.plain)),
}
