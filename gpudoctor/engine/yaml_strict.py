"""YAML as plain data: strings, numbers, booleans, null, lists and mappings, each with its line.

Built on PyYAML's events instead of its loaders. The C loader composes nodes recursively and kills the process on
60,000 open brackets; its resolver turns `0000:17:00.0` into 1020.0, `NO` into False and `010` into 8; a second
mapping key silently wins; aliases multiply. Events show all of that before it happens, and cost no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol, Union, cast

from gpudoctor.engine.problem import Position, Problem, RuleFileError
from gpudoctor.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

MAX_BYTES: Final = 64 << 10
MAX_DEPTH: Final = 32

Path = tuple[str | int, ...]
Plain = Union[None, bool, int, float, str, "list[Plain]", "dict[str, Plain]"]

_INT: Final = lazy_pattern(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = lazy_pattern(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_NUMBER_START: Final = frozenset("-0123456789")
_TAGS: Final = frozenset({None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class Document:
    """A parsed file: plain data, and the place of every value in it."""

    def __init__(self, file: str, data: Plain, events: dict[Path, Event]) -> None:
        self.file = file
        self.data = data
        self._events = events

    def position(self, path: Path, column: int = -1) -> Position:
        """The place of the value at `path`, or of the closest thing around it that exists.

        `column` counts characters inside the value; where that cannot be mapped to the file the column is 0.
        """
        found = path
        while found not in self._events and found:
            found = found[:-1]
        event = self._events.get(found)
        if event is None or event.start_mark is None or event.end_mark is None:
            return Position()
        start, end = event.start_mark, event.end_mark
        if column < 0 or found != path or start.line != end.line:
            return Position(start.line + 1)
        quotes = 2 if getattr(event, "style", None) in ("'", '"') else 0
        if end.column - start.column - quotes != len(getattr(event, "value", "")):  # escapes: columns do not map
            return Position(start.line + 1)
        return Position(start.line + 1, start.column + 1 + quotes // 2 + column)

    def problem(self, path: Path, message: str, hint: str = "", column: int = -1) -> Problem:
        """A problem with the value at `path`; the message gets the column in words where it cannot be mapped."""
        place = self.position(path, column)
        if column >= 0 and not place.column:
            message = f"{message}, at character {column + 1}"
        return Problem(self.file, place.line, place.column, message, hint)


def parse(raw: bytes, file: str) -> Document:
    """Parse one file. Raises RuleFileError with file, line and what to do."""
    if len(raw) > MAX_BYTES:
        raise _error(file, 0, f"is {len(raw)} bytes long", f"at most {MAX_BYTES}: split it")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _error(file, line, "is not UTF-8", "save it as UTF-8") from error
    return _Builder(file, text).document()


def _error(file: str, line: int, message: str, hint: str = "", column: int = 0) -> RuleFileError:
    return RuleFileError([Problem(file, line, column, message, hint)])


class _Events(Protocol):
    def get_event(self) -> Event | None:
        """The next event."""


class _Builder:
    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._places: dict[Path, Event] = {}

    def document(self) -> Document:
        import yaml

        events = self._events()
        try:
            next(events)  # stream start
            start = next(events)
            if isinstance(start, yaml.StreamEndEvent):
                raise _error(self._file, 1, "is empty", "see docs/rules.md for the form of a rule")
            data = self._value(events, next(events), (), 0)
            next(events)  # document end
            if not isinstance(after := next(events), yaml.StreamEndEvent):
                raise self._at(after, "a second document in one file", "one file is one rule")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = str(error.problem or error.context or "not YAML")
            line = mark.line + 1 if mark else 0
            hint = "quote a text that holds ': ', '#' or a bracket"
            raise _error(self._file, line, f"not YAML: {what}", hint) from error
        except yaml.reader.ReaderError as error:
            line = self._text.count("\n", 0, error.position) + 1
            raise _error(self._file, line, "a control character", "take it out, or write \\x07 in quotes") from error
        return Document(self._file, data, self._places)

    def _events(self) -> Iterator[Event]:
        import yaml

        try:
            parser = cast(_Events, yaml.CSafeLoader(self._text))
        except AttributeError:  # PyYAML built without libyaml: the same events, ten times slower
            parser = cast(_Events, yaml.SafeLoader(self._text))
        while (event := parser.get_event()) is not None:
            yield event

    def _value(self, events: Iterator[Event], event: Event, path: Path, depth: int) -> Plain:
        import yaml

        if depth > MAX_DEPTH:
            raise self._at(event, f"nested more than {MAX_DEPTH} deep", "a rule needs far less")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._at(event, "anchors (&) and aliases (*) are not allowed", "write the value out, or quote it")
        tag = getattr(event, "tag", None)
        if tag not in _TAGS:
            raise self._at(event, f"the tag {tag!r} is not allowed", "plain values only")
        if isinstance(event, yaml.ScalarEvent):
            self._places[path] = event
            return self._scalar(event)
        self._places.setdefault(path, event)  # of an entry the key is the better place
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path, depth)
        return self._mapping(events, path, depth)

    def _sequence(self, events: Iterator[Event], path: Path, depth: int) -> list[Plain]:
        import yaml

        items: list[Plain] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._value(events, event, (*path, len(items)), depth + 1))
        return items

    def _mapping(self, events: Iterator[Event], path: Path, depth: int) -> dict[str, Plain]:
        import yaml

        entries: dict[str, Plain] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.anchor is not None or event.tag not in _TAGS:
                raise self._at(event, "a mapping key must be plain text", "quote it")
            key = event.value
            if key in entries:
                raise self._at(event, f"the key {key!r} is there twice", "keep one of the two")
            below = (*path, key)
            self._places[below] = event
            entries[key] = self._value(events, next(events), below, depth + 1)
        return entries

    def _scalar(self, event: ScalarEvent) -> Plain:
        value = event.value
        if event.style or event.tag is not None or not value:  # quoted or block: always text
            return value if event.style or event.tag is not None else None
        if value in _WORDS:
            return _WORDS[value]
        if value == "~":
            raise self._at(event, "~ is not allowed", "write null, or '~' in quotes for the text")
        if value[0] in _NUMBER_START:
            if _INT.fullmatch(value):
                return int(value)
            if _FLOAT.fullmatch(value):
                return float(value)
        return value

    def _at(self, event: Event, message: str, hint: str) -> RuleFileError:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        return _error(self._file, line, message, hint, column)
