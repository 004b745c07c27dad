r"""What the scripts in probes/_target say: marked lines of escaped, tab-separated fields, key first.

>>> parse("noise\n\x1egpudoctor\tversion\t3.11.7\n")
{'version': [('3.11.7',)]}
"""

from __future__ import annotations

import re

from gpudoctor.lazy_pattern import lazy_pattern

MARK = "\x1egpudoctor\t"
MAX_LINES = 50_000
_ESCAPE = lazy_pattern(r"\\(.)")
_MEANING = {"n": "\n", "t": "\t", "r": "\r"}

Answer = dict[str, list[tuple[str, ...]]]


def parse(output: str) -> Answer:
    """The values of each key in order. Lines without the mark, whatever they are, are passed over."""
    answer: Answer = {}
    for line in output.split("\n", MAX_LINES)[:MAX_LINES]:
        if line.startswith(MARK) and "\0" not in line:  # a NUL can be in no path, version or message of ours
            key, *fields = line[len(MARK) :].split("\t")
            answer.setdefault(key, []).append(tuple(_ESCAPE.sub(_unescape, field) for field in fields))
    return answer


def last(answer: Answer, key: str, field: int = 0) -> str | None:
    """A field of the last line of a key; None where there is no such line or field."""
    lines = answer.get(key)
    return lines[-1][field] if lines and len(lines[-1]) > field else None


def _unescape(match: re.Match[str]) -> str:
    return _MEANING.get(match[1], match[1])
