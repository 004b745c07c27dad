"""Regular expressions that cannot be made slow: what a fact says is hostile, and `re` backtracks.

Allowed: literals, classes, anchors, groups, alternation, one unbounded repeat of a single character or class, and a
few optional parts. The number of ways in which a text can match is bounded when the rule is loaded.
"""

from __future__ import annotations

import re
import warnings
from typing import Final

from gpudoctor.engine.problem import SpecError
from gpudoctor.lazy_pattern import lazy_pattern

MAX_PATTERN: Final = 200
MAX_INPUT: Final = 2048
_MAX_WAYS: Final = 64

_TOKEN: Final = lazy_pattern(
    r"(?P<escape>\\[dDwWsSbB]|\\[^A-Za-z0-9])"
    r"|(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<open>\((?:\?:|(?!\?)))"
    r"|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{(?P<low>[0-9]{1,2})(?P<comma>,)?(?P<high>[0-9]{1,2})?\})"
    r"|(?P<or>\|)"
    r"|(?P<char>[^\\\[\](){}*+?|])"
)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. Raises SpecError when it could be slow or is no pattern."""
    if len(pattern) > MAX_PATTERN:
        raise SpecError(f"the pattern is longer than {MAX_PATTERN} characters", "match a shorter part")
    _Check(pattern).run()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "[[a]" and "[a--b]" will mean something else one day
            return re.compile(pattern)
    except (re.error, FutureWarning, OverflowError) as error:
        raise SpecError(f"not a pattern: {error}") from error


class _Check:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._ways = 1
        self._branches = [1]  # alternatives of the open groups; those of one group add up, groups multiply
        self._unbounded = 0
        self._before = ""  # what a repeat would apply to

    def run(self) -> None:
        place = 0
        while place < len(self._pattern):
            token = _TOKEN.match(self._pattern, place)
            if token is None:
                raise SpecError(
                    f"{self._pattern[place : place + 3]!r} is not allowed in a pattern",
                    "no back references, look-around, flags or lazy repeats; a backslash before a literal character",
                )
            self._token(token)
            place = token.end()
        if self._ways * self._branches[0] > _MAX_WAYS:
            raise SpecError("the pattern can match in too many ways", "fewer optional parts and alternatives")
        if self._unbounded > 1:
            raise SpecError("more than one * or + in a pattern", "match a shorter part, or call matches() twice")

    def _token(self, token: re.Match[str]) -> None:
        kind = str(token.lastgroup) if token["repeat"] is None else "repeat"
        if kind == "open":
            self._branches.append(1)
        elif kind == "or":
            self._branches[-1] += 1
        elif kind == "close" and len(self._branches) > 1:
            self._ways *= self._branches.pop()
        elif kind == "repeat":
            self._repeat(token)
        self._before = kind

    def _repeat(self, token: re.Match[str]) -> None:
        if self._before in ("repeat", "open", "or", ""):
            raise SpecError("a repeat of a repeat, or of nothing", "lazy and possessive repeats are not allowed")
        sign = token["repeat"]
        if sign == "?":
            self._ways *= 2
            return
        if self._before == "close":
            raise SpecError("a repeated group", "repeat single characters or classes only")
        if sign in "*+" or (token["comma"] and token["high"] is None):
            self._unbounded += 1
        elif token["comma"]:
            self._ways *= max(1, int(token["high"]) - int(token["low"]) + 1)
