"""Commands of a script that only set variables: `NAME=value`, `export NAME=value`, `unset NAME`."""

from __future__ import annotations

import re

from gpudoctor.workload.layout import Assignment
from gpudoctor.workload.scan import resolve
from gpudoctor.workload.words import Word

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


def only_settings(
    words: tuple[Word, ...], exports: list[Assignment], variables: dict[str, str], unset: list[str]
) -> bool:
    """Whether the command only sets variables; what it sets is noted."""
    first = words[0].text
    rest = words[1:] if first in {"export", "unset"} else words
    if first == "unset":
        names = {w.text for w in rest}
        exports[:] = [a for a in exports if a.name not in names]
        unset.extend(names)
        return True
    assignments = [assignment_of(w, variables) for w in rest]
    if first != "export" and not all(assignments):
        return False
    for found in assignments:
        if found is None:  # export NAME
            continue
        if found.value is not None:
            variables[found.name] = found.value
        if first == "export":
            exports.append(found)
    return True


def assignment_of(word: Word, variables: dict[str, str]) -> Assignment | None:
    """The assignment that a word is; its value is None where it depends on a variable that nobody set here."""
    match = _ASSIGNMENT.fullmatch(word.text)
    if not match:
        return None
    value = resolve(match.group(2), variables) if word.expands else match.group(2)
    return Assignment(match.group(1), value, word.start, word.end, word.start)
