"""Patterns that are compiled when they are first asked: most runs need few of them, and each takes a third of a ms."""

from __future__ import annotations

import re
from typing import cast


class _LazyPattern:
    """Becomes, attribute by attribute, the pattern that it stands for."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        """Called for what is not there yet. A special method, or a misspelt one, is the pattern's to refuse."""
        value: object = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, value)
        return value


def lazy_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """As re.compile, later. It has a pattern's methods, though it is none for isinstance."""
    return cast("re.Pattern[str]", _LazyPattern(text, flags))
