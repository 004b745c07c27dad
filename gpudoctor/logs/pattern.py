"""Patterns of signatures: what they may be, the literals that a line must hold, and matching that cannot be slow.

A pattern is a regular expression without look-around, back references, flags and repeated groups. `.*` between two
parts is a gap: the parts are searched for one after the other, which needs no backtracking. Any other repeat of a
character or class is bounded. Every way through the pattern must hold a literal of at least five characters: a block of
text is searched for all literals at once, and only lines that hold one are looked at.
"""

from __future__ import annotations

import re
import warnings

from gpudoctor.logs.pattern_parser import MIN_LITERAL, PatternError, parse_pattern


class Matcher:
    """Matches one line in linear time."""

    def __init__(self, pattern: str) -> None:
        parts = parse_pattern(pattern)
        self._alternatives = [[_compiled(part) for part in alternative] for alternative in parts.alternatives]

    def match(self, text: str) -> dict[str, str] | None:
        """The captures, None where the line does not match."""
        for parts in self._alternatives:
            captures: dict[str, str] = {}
            place = 0
            for part in parts:
                found = part.search(text, place)
                if found is None:
                    break
                place = found.end()
                captures.update({name: value for name, value in found.groupdict().items() if value is not None})
            else:
                return captures
        return None


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
