"""Patterns of signatures: what they may be, the literals that a line must hold, and matching that cannot be slow.

A pattern is a regular expression without look-around, back references, flags and repeated groups. `.*` between two
parts is a gap: the parts are searched for one after the other, which needs no backtracking. Any other repeat of a
character or class is bounded. Every way through the pattern must hold a literal of at least five characters: a block of
text is searched for all literals at once, and only lines that hold one are looked at.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence

from gpudoctor.logs.pattern_parser import MIN_LITERAL, PatternError, parse_pattern

Part = re.Pattern[str]


class Matcher:
    """Matches one line in linear time."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._alternatives = _alternatives(pattern)
        self._lazy: list[list[Part]] | None = None  # compiled when it is first needed

    def match(self, text: str) -> dict[str, str] | None:
        """The captures, None where the line does not match."""
        for index, parts in enumerate(self._alternatives):
            found = _one_after_the_other(parts, text)
            if found is None and _may_take_too_much(parts) and parts[0].search(text):
                found = self._taking_little(index, text)
            if found is not None:
                return _captures(found)
        return None

    def _taking_little(self, index: int, text: str) -> list[re.Match[str]] | None:
        """A part may have taken what the next one needs: `[a-z]+.*alpha` in "alphaalpha"."""
        if self._lazy is None:
            self._lazy = _alternatives(self._pattern, lazy=True)
        found = _one_after_the_other(self._lazy[index], text)
        if found is None:
            return None
        ends = [*(following.start() for following in found[1:]), len(text)]
        wide = zip(self._alternatives[index], found, ends, strict=True)
        # What a part captures is all that there is of it, up to the next part.
        return [part.search(text, least.start(), end) or least for part, least, end in wide]


def _alternatives(pattern: str, *, lazy: bool = False) -> list[list[Part]]:
    parsed = parse_pattern(pattern, lazy=lazy)
    return [[_compiled(part) for part in alternative] for alternative in parsed.alternatives]


def _one_after_the_other(parts: Sequence[Part], text: str) -> list[re.Match[str]] | None:
    matches: list[re.Match[str]] = []
    for part in parts:
        found = part.search(text, matches[-1].end() if matches else 0)
        if found is None:
            return None
        matches.append(found)
    return matches


def _may_take_too_much(parts: Sequence[Part]) -> bool:
    """A repeat before a gap, as the parser writes them; a plain brace or question mark costs time only."""
    return any("}" in part.pattern or "?" in part.pattern.replace("(?", "") for part in parts[:-1])


def _captures(matches: Iterable[re.Match[str]]) -> dict[str, str]:
    return {name: value for one in matches for name, value in one.groupdict().items() if value is not None}


def _compiled(part: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(part)
    except (re.error, FutureWarning, OverflowError) as error:
        raise PatternError(f"not a pattern: {error}") from error


def check_pattern(pattern: str, *, literal: bool = True) -> None:
    """Raises PatternError where the pattern is not allowed; a guard (`unless`) needs no literal."""
    parts = parse_pattern(pattern)
    Matcher(pattern)
    if literal and not parts.literals:
        hint = "every alternative needs plain text; `.*` is a gap, `[Aa]` is no plain text"
        raise PatternError(f"no literal of {MIN_LITERAL} or more characters in every way to match", hint)


def literals_of(pattern: str) -> tuple[str, ...]:
    """One of these is in every line that matches; () also for a pattern that is not allowed."""
    try:
        return parse_pattern(pattern).literals
    except PatternError:
        return ()
