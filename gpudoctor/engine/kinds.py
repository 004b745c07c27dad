"""The types of the rule language. A rule is checked against them when it is loaded, never when it runs."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Name = Literal["bool", "int", "float", "str", "version", "item", "list", "map", "section"]


class Kind(Struct, frozen=True):
    """A type. `struct` for items and sections, `element` for lists; a map is from text to text."""

    name: Name
    struct: type[Struct] | None = None
    element: Kind | None = None

    @property
    def number(self) -> bool:
        """Whether arithmetic and order apply."""
        return self.name in ("int", "float")

    @property
    def truthy(self) -> bool:
        """Whether it can stand as a condition: a list is true when it is not empty."""
        return self.name in ("bool", "list")

    def __str__(self) -> str:
        if self.struct is not None:
            return self.struct.__name__
        if self.element is not None:
            return f"list of {self.element}"
        return _WORDS.get(self.name, self.name)


_WORDS: Final[dict[str, str]] = {
    "bool": "true/false",
    "int": "whole number",
    "float": "number",
    "str": "text",
    "map": "map of text",
}

BOOL: Final = Kind("bool")
INT: Final = Kind("int")
FLOAT: Final = Kind("float")
STR: Final = Kind("str")
VERSION: Final = Kind("version")
MAP: Final = Kind("map")
# An empty list literal, and the elements of nothing.
ANY_LIST: Final = Kind("list")


def list_of(element: Kind) -> Kind:
    """The kind of a list."""
    return Kind("list", element=element)


def is_hit(kind: Kind) -> bool:
    """Whether it is a line of a log."""
    return kind.struct is not None and kind.struct.__name__ == "Hit"


def comparable(left: Kind, right: Kind) -> bool:
    """Whether `==` between the two means anything."""
    return (left.number and right.number) or (left == right and left.name in ("bool", "str", "version"))


def common(left: Kind, right: Kind) -> Kind | None:
    """The kind of "one or the other", None where they do not go together."""
    if left == right:
        return left
    return FLOAT if left.number and right.number else None
