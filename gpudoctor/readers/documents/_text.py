"""Small tools for lines that people paste: bounded, linear, no exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MAX_LINE = 1000
MAX_VALUE = 200
LABELS = tuple(f"GPU{number}{blank}" for number in range(32) for blank in "\t ")  # of rows in a matrix
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,6}){1,3}")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)[ ]{0,2}(k|m|g|t)?(i)?(b|bytes)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_MAX_BYTES = 1 << 60


def bare(line: str) -> str:
    """A line without blanks at its ends, cut where nobody writes such long ones."""
    return line[:MAX_LINE].strip()


def plain(text: str) -> str:
    """Printable characters of a value, bounded."""
    return "".join(character for character in text[:MAX_VALUE] if character.isprintable()).strip()


def pairs(lines: Sequence[str], separator: str = ":") -> Iterator[tuple[str, str]]:
    """Key and value of every line that has both; the key as it stands, without blanks around it."""
    for line in lines:
        key, found, value = line[:MAX_LINE].partition(separator)
        if found:
            yield key.strip(), value.strip()


def version_in(text: str) -> str:
    """The first dotted number of a text, or ""."""
    match = _VERSION.search(text[:MAX_VALUE])
    return match.group() if match else ""


def size_bytes(text: str, unit: str = "") -> int | None:
    """`24564MiB`, `16g`, `1Gi`, `503.86 GB`, `64M` in bytes; units are powers of two, `unit` where none is written."""
    match = _SIZE.fullmatch(text.strip()[:40])
    if match is None:
        return None
    number, letter, _, _ = match.groups()
    size = round(float(number) * 2.0 ** _POWERS[(letter or unit).lower()])
    return size if size < _MAX_BYTES else None


def count_in(text: str) -> int | None:
    """A whole number that fills the text; None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
