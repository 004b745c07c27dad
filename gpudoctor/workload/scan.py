"""The words of one program's command line → which options are there, with their values and places."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.workload.errors import CommandError
from gpudoctor.workload.registry import Listed, find_option
from gpudoctor.workload.spec import Option, Spec
from gpudoctor.workload.values import Fields, convert
from gpudoctor.workload.words import Word

_NEGATIVE = re.compile(r"-\d+(?:\.\d+)?")
_FLAGS = frozenset({"flag", "flag_off", "optional"})


class Hit(Struct, frozen=True):
    """One option as it was given. `name` and `value` are word numbers (equal where written as --name=value)."""

    option: Option
    name: int
    value: int  # -1: none
    last: int  # last word that belongs to the option
    text: str  # of the value
    fields: Fields


class Scan(Struct, frozen=True):
    """The options of the words from `start` up to, not including, `end`; where they end, something else begins."""

    spec: Spec
    start: int
    end: int
    hits: tuple[Hit, ...]
    positionals: tuple[int, ...]


class _Scanner:
    def __init__(self, text: str, words: Sequence[Word], spec: Spec, variables: dict[str, str]) -> None:
        self.text, self.words, self.spec, self.variables = text, words, spec, variables
        self.hits: list[Hit] = []
        self.positionals: list[int] = []

    def run(self, start: int) -> Scan:
        at = start
        while at < len(self.words):
            word = self.words[at].text
            if word == "--":
                at += 1
                if self.spec.follow != "end":
                    break
            elif word.startswith("-") and word != "-":
                at = self._option(at)
            elif self.spec.follow == "end":
                self.positionals.append(at)
                at += 1
            else:
                break
        return Scan(self.spec, start, at, tuple(self.hits), tuple(self.positionals))

    def _option(self, at: int) -> int:
        """Reads the option at word `at`; the number of the next word."""
        name, equals, inline = self.words[at].text.partition("=")
        found = find_option(self.spec, name)
        if found is None and self.spec.clusters and not name.startswith("--"):
            short = find_option(self.spec, name[:2])
            if isinstance(short, Option) and len(name) > 2:
                return self._take(short, at, self.words[at].text[2:])
            found = found or (short if len(name) > 2 and isinstance(short, Listed) and not short.values else None)
        if isinstance(found, Option):
            return self._take(found, at, inline if equals else None)
        if equals or at + 1 >= len(self.words):
            return at + 1
        takes = found.values if isinstance(found, Listed) else int(self._unknown_takes_value(at))
        return at + 1 + takes if takes and not self._is_option(at + 1) else at + 1

    def _unknown_takes_value(self, at: int) -> bool:
        following = self.words[at + 1].text
        if self.spec.follow == "script" and following.endswith(".py"):
            return False
        return self.spec.unknown == "value" and self.spec.role != "script"

    def _is_option(self, at: int) -> bool:
        word = self.words[at].text
        return word.startswith("-") and word != "-" and not _NEGATIVE.fullmatch(word)

    def _take(self, option: Option, at: int, inline: str | None) -> int:
        if inline is not None:
            self._hit(option, at, at, at, inline)
            return at + 1
        if option.kind in _FLAGS:
            self._hit(option, at, -1, at, "" if option.kind == "optional" else "true")
            return at + 1
        if at + 1 >= len(self.words) or self._is_option(at + 1):
            return self._without_value(option, at)
        last = at + 1
        if option.kind == "list":
            while last + 1 < len(self.words) and not self._is_option(last + 1):
                last += 1
            self._hit(option, at, at + 1, last, " ".join(w.text for w in self.words[at + 1 : last + 1]))
            return last + 1
        following = self.words[at + 1].text
        if option.kind == "boolean" and following.lower() not in {"true", "false"}:
            return self._without_value(option, at)
        self._hit(option, at, at + 1, at + 1, following)
        return at + 2

    def _without_value(self, option: Option, at: int) -> int:
        if option.kind == "boolean":
            self._hit(option, at, -1, at, "true")
        elif self.spec.role != "script" and option.kind not in {"text", "assign", "list"}:
            word = self.words[at]
            raise CommandError(word.position, f"`{word.text[:60]}` needs a value", self.text, (word.start, word.end))
        return at + 1

    def _hit(self, option: Option, at: int, value: int, last: int, text: str) -> None:
        """Notes the option; a value that a variable or the run decides has no value in `fields`."""
        place = self.words[value if value >= 0 else at]
        resolved = resolve(text, self.variables) if place.expands else text
        fields: Fields
        if resolved is None or resolved in option.dynamic:
            fields = ((option.field, None),)
        else:
            try:
                fields = convert(option.kind, option.field, resolved)
            except ValueError as error:
                if self.spec.role == "script":
                    return  # another program's option of the same name: not ours to judge
                name = self.words[at].text.partition("=")[0]
                span = (place.start, place.end)
                raise CommandError(place.position, f"`{name[:60]}` {error}", self.text, span) from None
        self.hits.append(Hit(option, at, value, last, text, fields))


def scan(text: str, words: Sequence[Word], start: int, spec: Spec, variables: dict[str, str]) -> Scan:
    """The options of `spec` among `words[start:]`; `variables` are assignments made earlier in the same text.

    Raises:
        CommandError: an option of the spec has a value that it cannot have.
    """
    found = _Scanner(text, words, spec, variables).run(start)
    if not spec.positional or any(h.option.field == spec.positional for h in found.hits):
        return found
    if not found.positionals:
        return found
    at = found.positionals[0]
    option = Option(spec.positional, ())
    value = resolve(words[at].text, variables) if words[at].expands else words[at].text
    hit = Hit(option, at, at, at, words[at].text, ((spec.positional, value),))
    return Scan(found.spec, found.start, found.end, (*found.hits, hit), found.positionals)


_SIMPLE_VARIABLE = re.compile(r"\$(?:(\w{1,128})|\{(\w{1,128})\})")


def resolve(text: str, variables: dict[str, str]) -> str | None:
    """The text with variables filled in that the same text sets; None where one is not known."""
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        name = match.group(1) or match.group(2)
        unknown = unknown or name not in variables
        return variables.get(name, "")

    filled = _SIMPLE_VARIABLE.sub(value, text)
    return None if unknown or "$" in filled or "`" in filled else filled
