"""Makes damaged texts out of whole ones: what people cut, edit and mix up, and what nobody would write."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

MAX_CHARACTERS = 16_384
_NASTY = (
    "\x00", "\ufffd", "\u202e", "\u00a0", "\t", "  ", "|", ":", "=", ",", "-", "'", '"', "{", "}", "[", "]", "<", ">",
    "0", "-1", "99999999999999999999", "1e999", "NaN", "N/A", "GPU", "GPU0", "%s", "../", "&&",
    "$(", "\\", "\U0001f600",
)  # fmt: skip


def mutated(texts: Sequence[str], dice: random.Random) -> str:
    """One of the texts after one to six changes."""
    text = dice.choice(texts)
    for _ in range(dice.randint(1, 6)):
        text = dice.choice(_CHANGES)(text, texts, dice)[:MAX_CHARACTERS]
    return text


def _characters(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    """Some characters become others."""
    letters = list(text)
    for _ in range(dice.randint(1, 8)):
        if letters:
            letters[dice.randrange(len(letters))] = chr(dice.choice((dice.randrange(128), dice.randrange(0x3000))))
    return "".join(letters)


def _cut(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    a, b = sorted(dice.randrange(len(text) + 1) for _ in range(2))
    return text[a:b] if dice.random() < 0.5 else text[:a] + text[b:]


def _insert(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.choice(_NASTY) * dice.choice((1, 1, 2, 40)) + text[place:]


def _repeat(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    """A piece many times over: what makes bad patterns slow."""
    place = dice.randrange(len(text) + 1)
    piece = text[place : place + dice.randint(1, 24)]
    return text[:place] + piece * dice.choice((2, 8, 300)) + text[place:]


def _lines(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    """Lines are lost, doubled or moved."""
    lines = text.split("\n")
    for _ in range(dice.randint(1, 4)):
        at, to = dice.randrange(len(lines)), dice.randrange(len(lines))
        change = dice.randrange(3)
        if change == 0 and len(lines) > 1:
            del lines[at]
        elif change == 1:
            lines.insert(to, lines[at])
        else:
            lines[at], lines[to] = lines[to], lines[at]
        lines = lines or [""]
    return "\n".join(lines)


def _blanks(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    """Tabs turned into blanks, columns pushed together, indents lost."""
    return dice.choice(
        (
            text.expandtabs(8),
            text.replace("  ", " "),
            "\n".join(line.lstrip() for line in text.split("\n")),
            "\n".join(dice.choice(("", "> ", "    ", "| ", "[rank0]: ")) + line for line in text.split("\n")),
        )
    )


def _wrapped(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    width = dice.randint(5, 60)
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def _joined(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    return text.replace("\n", dice.choice((" ", "", "\r")))


def _mixed(text: str, texts: Sequence[str], dice: random.Random) -> str:
    """Lines of two texts in turn, or one behind the other."""
    other = dice.choice(texts)
    if dice.random() < 0.5:
        return text + other
    pairs = zip(text.split("\n"), other.split("\n"), strict=False)
    return "\n".join(line for pair in pairs for line in pair)


def _numbers(text: str, _texts: Sequence[str], dice: random.Random) -> str:
    """Digits become others, so that counts, sizes and indices leave their ranges."""
    return "".join(str(dice.randrange(10)) if c.isdigit() and dice.random() < 0.2 else c for c in text)


_CHANGES: tuple[Callable[[str, Sequence[str], random.Random], str], ...] = (
    _characters, _cut, _insert, _repeat, _lines, _blanks, _wrapped, _joined, _mixed, _numbers,
)  # fmt: skip
