"""The text of a template, compiled and checked at load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gpudoctor.engine.expression import compile_expression
from gpudoctor.engine.filters import check_filter
from gpudoctor.engine.kinds import Kind
from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.template import Hole, Template

MAX_TEMPLATE: Final = 4000


def compile_template(text: str, names: Mapping[str, Kind], *, command: bool = False) -> Template:
    """Compile `text`; with `command` also check that no hole stands inside quotes. Raises SpecError."""
    if len(text) > MAX_TEMPLATE:
        raise SpecError(f"a text of more than {MAX_TEMPLATE} characters")
    parts: list[str | Hole] = []
    literal = ""
    place = 0
    while place < len(text):
        char = text[place]
        if char in "{}" and text[place : place + 2] == char * 2:
            literal += char
            place += 2
        elif char == "}":
            raise SpecError("a } without {", "write }} for a brace", place)
        elif char == "{":
            end = _closing(text, place)
            if literal:
                parts.append(literal)
            if command:
                _check_quotes(parts, place)
            parts.append(
                _hole(text[place + 1 : end], place + 1, names, word_start=not literal or literal[-1].isspace())
            )
            literal = ""
            place = end + 1
        else:
            literal += char
            place += 1
    return Template((*parts, literal) if literal else tuple(parts))


def _closing(text: str, start: int) -> int:
    quote = ""
    for place in range(start + 1, len(text)):
        char = text[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "{":
            raise SpecError("a { inside of { }", "write {{ for a brace", place)
        elif char == "}":
            return place
    raise SpecError("a { that is never closed", "write {{ for a brace", start)


def _check_quotes(parts: Sequence[str | Hole], column: int) -> None:
    quote, escaped = "", False
    for char in "".join(part for part in parts if isinstance(part, str)):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
    if quote or escaped:
        raise SpecError("a { } inside quotes", "leave the quotes out: values are quoted by themselves", column)


def _hole(text: str, column: int, names: Mapping[str, Kind], *, word_start: bool) -> Hole:
    body, name = _split_filter(text)
    try:
        expression = compile_expression(body, names)
    except SpecError as error:
        raise SpecError(error.message, error.hint, column + max(error.column, 0)) from error
    try:
        check_filter(name, expression.kind)
    except SpecError as error:
        raise SpecError(error.message, error.hint, column) from error
    return Hole(expression, name, word_start)


def _split_filter(text: str) -> tuple[str, str]:
    quote = ""
    bar = -1
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "|":
            bar = place
    return (text, "") if bar < 0 else (text[:bar], text[bar + 1 :].strip())
