"""A command line as text, cut into words as a POSIX shell would, with the place of each word. Nothing is expanded."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gpudoctor.workload.errors import CommandError

MAX_CHARACTERS: Final = 256 << 10  # the kernel takes 128 KiB in one argument; a launch command has some hundred

_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n|\\$)+")
_COMMENT = re.compile(r"#[^\n]*")
_LINE_BREAKS = re.compile(r"[ \t\r\n]+")
_OPTION = re.compile(r"--?[A-Za-z]")
_OPERATOR = re.compile(r"\d*>&(?:\d+|-)|\d*(?:>>|>\||>)|\d*<<?<?|&>>?|&&|\|\||\|&|;;|[;&|()\n]")
# What may stand between words and operators, by its first character.
_BETWEEN = {" ": _BLANK, "\t": _BLANK, "\r": _BLANK, "\\": _BLANK, "#": _COMMENT}
_ENDS_WORD = frozenset(("", " ", "\t", "\n", ";"))
_BEGINS_OPERATOR = frozenset("0123456789<>&|;()")
_PLAIN = re.compile(r"[^ \t\r\n'\"\\$`;&|<>()]+")  # to a shell, other kinds of space are letters
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_DOUBLE_ESCAPE = re.compile(r"\\([$`\"\\\n])")
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{[^{}\n]*\}|[A-Za-z_]\w*|[0-9@*#?$!-])")
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w ./-]{0,60}>")  # `vllm serve <model>`, as documentation writes it
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PROMPT = re.compile(r"\s*(?:\([^()\n]{1,80}\)[ \t]*)?(?:[^\s'\"]{1,80}@[^\s'\"]{1,160}[ \t]*)?[$#][ \t]+")
_REDIRECT = re.compile(r"\d*[<>]|&>")


class Word(NamedTuple):
    """One word: what the program would get, where it stands in the text, and its number from 1."""

    text: str
    start: int
    end: int
    position: int
    expands: bool = False  # contains $VARIABLE or $(command): the program gets something else than `text`


class _Operator(NamedTuple):
    text: str


class _Part(NamedTuple):
    text: str
    end: int
    expands: bool


def simple_commands(text: str) -> list[tuple[Word, ...]]:
    """The simple commands of a shell line or script, without operators, redirections and comments.

    Raises:
        CommandError: control characters, an unclosed quote or substitution, or far too long.
    """
    commands: list[tuple[Word, ...]] = []
    words: list[Word] = []
    skip_target = False
    for token in _tokens(text):
        if isinstance(token, Word):
            if not skip_target:
                words.append(token)
            skip_target = False
        elif _REDIRECT.match(token.text):
            skip_target = ">&" not in token.text or token.text.endswith("&")
        elif words:
            commands.append(tuple(words))
            words = []
    if words:
        commands.append(tuple(words))
    return commands


def has_control(text: str) -> bool:
    """Whether the text has characters that no command line has and a terminal might obey."""
    return _CONTROL.search(text) is not None


def _tokens(text: str) -> list[Word | _Operator]:
    _refuse(text)
    tokens: list[Word | _Operator] = []
    prompt = _PROMPT.match(text)
    comment = prompt is not None and prompt.group().strip() == "#" and "\n" in text.strip()
    at = prompt.end() if prompt and not comment else 0
    number = 0
    while at < len(text):
        char = text[at]
        if char == "\n":
            at = _next_line(text, at, tokens)
            continue
        between = _BETWEEN.get(char)
        skipped = between.match(text, at) if between else None
        if skipped:
            at = skipped.end()
            continue
        operator = _operator(text, at) if char in _BEGINS_OPERATOR else None
        if operator:
            tokens.append(_Operator(operator))
            at += len(operator)
            continue
        number += 1
        word = _word(text, at, number)
        tokens.append(word)
        at = word.end
    return tokens


def _next_line(text: str, at: int, tokens: list[Word | _Operator]) -> int:
    """Behind line breaks, which end a command. In front of an option they are a terminal's or a web page's wrapping."""
    breaks = _LINE_BREAKS.match(text, at)
    end = breaks.end() if breaks else at + 1
    if not _OPTION.match(text, end):
        tokens.append(_Operator("\n"))
    return end


def _operator(text: str, at: int) -> str:
    """The operator or redirection at a place, or ""."""
    found = None if _PLACEHOLDER.match(text, at) else _OPERATOR.match(text, at)
    return found.group() if found else ""


def _refuse(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise CommandError(1, f"the command is longer than {MAX_CHARACTERS >> 10} KiB")
    control = _CONTROL.search(text)
    if control:
        at = control.start()
        position = max(1, len(text[: at + 1].split()))
        raise CommandError(position, f"it contains the control character U+{ord(text[at]):04X}", text, (at, at + 1))


def _word(text: str, start: int, number: int) -> Word:
    plain = _PLAIN.match(text, start)
    if plain and text[plain.end() : plain.end() + 1] in _ENDS_WORD:  # nearly all of them
        return Word(plain.group(), start, plain.end(), number)
    parts: list[str] = []
    at = start
    expands = False
    while at < len(text):
        part = _part(text, at, number)
        if part is None:
            break
        parts.append(part.text)
        expands = expands or part.expands
        at = part.end
    return Word("".join(parts), start, at, number, expands)


def _part(text: str, at: int, number: int) -> _Part | None:
    """The next piece of a word, or None where the word ends."""
    plain = _PLAIN.match(text, at) or _PLACEHOLDER.match(text, at)
    if plain:
        return _Part(plain.group(), plain.end(), False)
    char = text[at]
    if char in "'\"":
        return _quoted(text, at, number)
    if char == "\\" and not _BLANK.match(text, at):
        return _Part(text[at + 1 : at + 2], at + 2, False)
    if char == "\\" and text[at + 1 : at + 2]:
        return _Part("", at + len("\\\n"), False)  # a joined line inside a word
    if char in "$`":
        return _dollar(text, at, number)
    return None


def _quoted(text: str, at: int, number: int) -> _Part:
    if text[at] == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise CommandError(number, "the single quote is never closed", text, (at, at + 1))
        return _Part(text[at + 1 : end], end + 1, False)
    match = _DOUBLE.match(text, at)
    if not match:
        raise CommandError(number, "the double quote is never closed", text, (at, at + 1))
    inner = match.group(1)
    literal = re.sub(r"\\.", "", inner, flags=re.DOTALL)
    expands = bool(_VARIABLE.search(literal)) or "$(" in literal or "`" in literal
    unescaped = _DOUBLE_ESCAPE.sub(lambda m: "" if m.group(1) == "\n" else m.group(1), inner)
    return _Part(unescaped, match.end(), expands)


def _dollar(text: str, at: int, number: int) -> _Part:
    if text[at] == "`":
        end = text.find("`", at + 1)
        if end < 0:
            raise CommandError(number, "the backquote is never closed", text, (at, at + 1))
        return _Part(text[at : end + 1], end + 1, True)
    ansi = _ANSI.match(text, at)
    if ansi:
        return _Part(ansi.group(1).replace("\\'", "'"), ansi.end(), False)
    if text.startswith("$(", at):
        end = _closing(text, at + 2)
        if end < 0:
            raise CommandError(number, "the `$(` is never closed", text, (at, at + 2))
        return _Part(text[at:end], end, True)
    variable = _VARIABLE.match(text, at)
    if variable:
        return _Part(variable.group(), variable.end(), True)
    return _Part("$", at + 1, False)


_PARENTHESIS = re.compile(r"[()]")


def _closing(text: str, at: int) -> int:
    """Where the parenthesis that was opened before `at` is closed again, or -1."""
    depth = 1
    for match in _PARENTHESIS.finditer(text, at):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return match.end()
    return -1
