"""Commands of a script that only set variables: `NAME=value`, `export NAME=value`, `unset NAME`."""

from __future__ import annotations

import re

from gpudoctor.workload.layout import Assignment
from gpudoctor.workload.scan import resolve
from gpudoctor.workload.words import Word

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


class Settings:
    """What the commands of a script so far have set, for those after them."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}  # whose values are written there
        self._exports: dict[str, list[Assignment]] = {}
        self._unset: dict[str, None] = {}

    @property
    def exported(self) -> list[Assignment]:
        """Every `export NAME=value` that still holds, in the order of the text."""
        return sorted((a for found in self._exports.values() for a in found), key=lambda found: found.start)

    @property
    def gone(self) -> list[str]:
        """Variables that were unset and not exported again."""
        return [name for name in self._unset if name not in self._exports]

    def take(self, words: tuple[Word, ...]) -> bool:
        """Whether the command only sets variables; what it sets is noted."""
        first = words[0].text
        if first == "unset":
            for word in words[1:]:
                self._exports.pop(word.text, None)
                self._unset[word.text] = None
            return True
        assignments = [assignment_of(w, self.variables) for w in (words[1:] if first == "export" else words)]
        if first != "export" and not all(assignments):
            return False
        for found in assignments:
            if found is None:  # export NAME
                continue
            if found.value is not None:
                self.variables[found.name] = found.value
            if first == "export":
                self._exports.setdefault(found.name, []).append(found)
        return True


def assignment_of(word: Word, variables: dict[str, str]) -> Assignment | None:
    """The assignment that a word is; its value is None where it depends on a variable that nobody set here."""
    match = _ASSIGNMENT.fullmatch(word.text)
    if not match:
        return None
    value = resolve(match.group(2), variables) if word.expands else match.group(2)
    return Assignment(match.group(1), value, word.start, word.end, word.start)
