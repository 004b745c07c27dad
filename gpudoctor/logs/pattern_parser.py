"""The grammar of signatures' patterns: alternatives, parts between gaps, and the literals of each way through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

MAX_PATTERN: Final = 600
MIN_LITERAL: Final = 5
_MAX_REPEAT: Final = 200  # of what would be unbounded
_MAX_REPEATS: Final = 6  # of those in one part
_MAX_LITERALS: Final = 24
_MAX_PRODUCT: Final = 64

_TOKEN: Final = re.compile(
    r"(?P<gap>\.[*+]\??)"
    r"|(?P<escape>\\[dDwWsSbB])"
    r"|\\(?P<literal>[^A-Za-z0-9])"
    r"|(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|\((?:\?:|\?P<[a-z_][a-z0-9_]{0,30}>|(?!\?))"
    r"|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})(?P<lazy>\??)"
    r"|(?P<or>\|)"
    r"|(?P<anchor>[\^$])"
    r"|(?P<char>[^\\\[\](){}*+?|^$])"
)


class PatternError(Exception):
    """A pattern that is not allowed. `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Parts(Struct, frozen=True):
    """The pattern as alternatives of parts that follow one another, and the literals of which a line holds one."""

    alternatives: tuple[tuple[str, ...], ...]
    literals: tuple[str, ...]  # () where there is none that is long enough


def parse_pattern(pattern: str, *, lazy: bool = False) -> Parts:
    """Split a pattern at its gaps and find its literals. `lazy`: its repeats take as little as they can.

    Raises PatternError.
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"the pattern is longer than {MAX_PATTERN} characters", "match a shorter part")
    if not pattern.strip():
        raise PatternError("an empty pattern")
    return _Parser(_tokens(pattern), lazy=lazy).whole()


def _tokens(pattern: str) -> list[re.Match[str]]:
    tokens = []
    place = 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            raise PatternError(
                f"{pattern[place : place + 3]!r} is not allowed in a pattern",
                "no back references, look-around or flags; a backslash before a literal character",
            )
        tokens.append(token)
        place = token.end()
    return tokens


class _Run(Struct):
    """What is known of the literals of a sequence while it is read."""

    best: tuple[str, ...] = ()
    tail: tuple[str, ...] = ("",)  # the plain texts that the sequence may end in so far, for joining

    def add(self, texts: Sequence[str]) -> None:
        """A piece that is one of `texts` follows directly."""
        if len(self.tail) * len(texts) > _MAX_LITERALS:
            self.cut()
            self.tail = tuple(texts) if len(texts) <= _MAX_LITERALS else ("",)
            return
        self.tail = tuple(dict.fromkeys(before + text for before in self.tail for text in texts))

    def offer(self, texts: Sequence[str]) -> None:
        """Literals of a piece that does not join with its neighbours."""
        if texts and _worth(texts) > _worth(self.best):
            self.best = tuple(texts)

    def cut(self) -> None:
        """Something that is no plain text follows."""
        self.offer(self.tail)
        self.tail = ("",)


def _worth(texts: Sequence[str]) -> int:
    return min((len(text) for text in texts), default=0)


def _shortest(texts: Sequence[str]) -> tuple[str, ...]:
    """Without those that hold another one."""
    return tuple(text for text in dict.fromkeys(texts) if not any(o != text and o in text for o in texts))


class _Group(Struct):
    """What a group or the whole is: text with bounded repeats, its literals, whether it is plain text only."""

    text: str
    literals: tuple[str, ...]  # one of these is in every match; () where there is none
    plain: tuple[str, ...] | None  # the texts that it can be, where it is nothing but those


class _Parser:
    def __init__(self, tokens: list[re.Match[str]], *, lazy: bool) -> None:
        self._tokens = tokens
        self._lazy = "?" if lazy else ""
        self._place = 0

    def whole(self) -> Parts:
        alternatives: list[tuple[str, ...]] = []
        literals: list[str] = []
        complete = True
        while True:
            parts, found = self._sequence(top=True)
            alternatives.append(tuple(parts))
            usable = found.literals and _worth(found.literals) >= MIN_LITERAL
            complete = complete and bool(usable)
            literals += found.literals
            if self._place >= len(self._tokens):
                break
            if self._tokens[self._place]["close"]:
                raise PatternError("a ) without its (")
            self._place += 1  # the |
        return Parts(tuple(alternatives), _shortest(literals) if complete else ())

    def _sequence(self, *, top: bool) -> tuple[list[str], _Group]:
        """One alternative, up to | or ) or the end. Gaps split it at the top level only."""
        parts, text = [], ""
        run, plain = _Run(), True
        repeats = product = 0
        while self._place < len(self._tokens):
            token = self._tokens[self._place]
            if token["or"] or token["close"]:
                break
            self._place += 1
            if token["gap"]:
                run.cut()
                plain = False
                if top:
                    parts.append(text + ("." if "+" in token["gap"] else ""))
                    text, repeats = "", 0
                else:
                    text += f".{{{int('+' in token['gap'])},{_MAX_REPEAT}}}{self._lazy}"
                    repeats += 1
                continue
            piece, atom = self._piece(token)
            repeat = self._repeat(token)
            repeats += repeat.unbounded
            product += repeats > _MAX_REPEATS
            text += piece + repeat.text
            plain = self._count(run, atom, repeat, plain=plain)
        if product:
            raise PatternError(f"more than {_MAX_REPEATS} * or + in one part", "put a gap `.*` between, or match less")
        parts.append(text)
        own = run.tail if plain else None
        run.cut()
        literals = run.best if _worth(run.best) else ()
        return [part for part in parts if part], _Group(text, literals, own)

    @staticmethod
    def _count(run: _Run, atom: _Group, repeat: _Repeat, *, plain: bool) -> bool:
        """Literals after this piece; whether the sequence is still plain text."""
        if repeat.minimum == 0:
            if atom.plain is not None and repeat.text == "?" and len(atom.plain) < 8:
                run.add(("", *atom.plain))
                return plain
            run.cut()
            return False
        if atom.plain is not None and not repeat.text:
            run.add(atom.plain)
            return plain
        if atom.plain == ("",):
            return plain
        run.cut()
        run.offer(atom.literals)
        return False

    def _piece(self, token: re.Match[str]) -> tuple[str, _Group]:
        text = token.group()
        if token["char"] and text != ".":
            return text, _Group(text, (text,), (text,))
        if token["literal"]:
            return text, _Group(text, (token["literal"],), (token["literal"],))
        if token["anchor"] or text in (r"\b", r"\B"):
            return text, _Group(text, (), ("",))
        if text.startswith("("):
            group = self._group(text)
            return group.text, group
        if token["repeat"]:
            raise PatternError("a repeat of nothing")
        return text, _Group(text, (), None)

    def _group(self, opening: str) -> _Group:
        texts: list[str] = []
        literals: list[str] = []
        plain: list[str] = []
        all_plain = complete = True
        while True:
            _, inner = self._sequence(top=False)
            texts.append(inner.text)
            complete = complete and bool(inner.literals)
            literals += inner.literals
            all_plain = all_plain and inner.plain is not None
            plain += inner.plain or ()
            if self._place >= len(self._tokens):
                raise PatternError("a ( without its )")
            self._place += 1
            if self._tokens[self._place - 1]["close"]:
                break
        text = opening + "|".join(texts) + ")"
        usable = complete and len(literals) <= _MAX_LITERALS
        return _Group(
            text,
            tuple(dict.fromkeys(literals)) if usable else (),
            tuple(dict.fromkeys(plain)) if all_plain and len(plain) <= _MAX_LITERALS else None,
        )

    def _repeat(self, atom: re.Match[str]) -> _Repeat:
        """The repeat that follows, bounded."""
        if self._place >= len(self._tokens) or not self._tokens[self._place]["repeat"]:
            return _Repeat("", 1, 0)
        token = self._tokens[self._place]
        self._place += 1
        sign, lazy = token["repeat"], token["lazy"] or self._lazy
        if atom["anchor"] or atom.group() in (r"\b", r"\B"):
            raise PatternError("a repeated anchor")
        if sign == "?":
            return _Repeat("?" + lazy, 0, 0)
        if atom.group().startswith("("):
            raise PatternError("a repeated group", "repeat single characters or classes only; ( )? is allowed")
        if sign in "*+":
            return _Repeat(f"{{{int(sign == '+')},{_MAX_REPEAT}}}{lazy}", int(sign == "+"), 1)
        low, comma, high = sign[1:-1].partition(",")
        if comma and (not high or int(high) > _MAX_REPEAT):
            return _Repeat(f"{{{low},{max(int(low), _MAX_REPEAT)}}}{lazy}", int(low), 1)
        return _Repeat(sign + lazy, int(low), int(bool(comma)))


class _Repeat(Struct, frozen=True):
    text: str
    minimum: int
    unbounded: int  # 1 where it can give way, and so be tried in several ways
