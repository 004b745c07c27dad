"""Templates: text with `{expression|filter}`, compiled and checked at load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from gpudoctor.engine.clean import clean
from gpudoctor.engine.expression import Expression, compile_expression
from gpudoctor.engine.filters import MAX_ITEMS, UNKNOWN, Filter, filter_for, plain_values, quoted
from gpudoctor.engine.kinds import Kind
from gpudoctor.engine.problem import SpecError
from gpudoctor.engine.values import Frame, Many

MAX_TEMPLATE: Final = 4000
_MAX_RENDERED: Final = 2000


class Hole(Struct, frozen=True):
    """A `{expression|filter}`."""

    expression: Expression
    filter: Filter
    quoted: bool  # the filter has quoted it already
    word_start: bool  # it begins a word of the command


class Template(Struct, frozen=True):
    """Literal texts and holes, in order."""

    text: str
    parts: tuple[str | Hole, ...]

    def prose(self, frame: Frame) -> str:
        """For people, bounded: what is absent is `?`, an empty list is "none"."""
        return self._written(frame, for_programs=False)

    def subject(self, frame: Frame) -> str:
        """What the finding is about, as programs read it: `gpu:0,gpu:1`."""
        return self._written(frame, for_programs=True)

    def _written(self, frame: Frame, *, for_programs: bool) -> str:
        parts = (part if isinstance(part, str) else _shown(part, frame, for_programs) for part in self.parts)
        text = "".join(parts).strip()
        return text if len(text) <= _MAX_RENDERED else text[: _MAX_RENDERED - 1] + "…"

    def plain(self, frame: Frame) -> str | None:
        """A value of a change: not quoted; None where a fact is absent or no honest value."""
        return self._filled([part if isinstance(part, str) else _exact(part, frame) for part in self.parts])

    def command(self, frame: Frame) -> str | None:
        """For a shell: values are quoted; None where a fact is absent or its value could be taken for an option."""
        return self._filled([part if isinstance(part, str) else _word(part, frame) for part in self.parts])

    @staticmethod
    def _filled(written: Sequence[str | None]) -> str | None:
        if None in written:
            return None
        text = "".join(part for part in written if part is not None).strip()
        return text if len(text) <= _MAX_RENDERED else None


def _shown(hole: Hole, frame: Frame, for_programs: bool) -> str:
    values = plain_values(hole.expression.run(frame))
    if values is None:
        return UNKNOWN
    write = hole.filter.subject if for_programs and hole.filter.subject else hole.filter.write
    return write(values) if values else "none"


def _exact(hole: Hole, frame: Frame) -> str | None:
    """The written value where nothing is missing, shortened or left out of it."""
    value = hole.expression.run(frame)
    values = plain_values(value)
    if values is None or (isinstance(value, Many) and value.undecided) or len(values) > MAX_ITEMS:
        return None
    if any(each is None or (isinstance(each, str) and clean(each) != each) for each in values):
        return None
    return hole.filter.write(values)


def _word(hole: Hole, frame: Frame) -> str | None:
    text = _exact(hole, frame)
    if text is None or (hole.word_start and text.startswith("-")):
        return None
    return text if hole.quoted else quoted(text)


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
    return Template(text, (*parts, literal) if literal else tuple(parts))


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
        chosen = filter_for(name, expression.kind)
    except SpecError as error:
        raise SpecError(error.message, error.hint, column) from error
    return Hole(expression, chosen, name == "sh", word_start)


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
