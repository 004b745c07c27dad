"""Keys and values of YAML as people paste it: cut, indented anew, two files in one. Lines, not a document tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from gpudoctor.readers.documents._text import MAX_LINE

_KEY = re.compile(r"( {0,80})((?:- {1,4}){0,3})([\w./-]{1,80}) ?:(?: {1,40}(.{0,900}))?")
_ITEM = re.compile(r"( {0,80})- {1,4}(.{1,900})")
_FLOW_ITEM = re.compile(r"\"[^\"]{0,800}\"|'[^']{0,800}'|[^\s,\"'\[\]][^,\[\]]{0,800}")
_REMARK = re.compile(r"(?:^| )#[^\"']{0,400}$")


class Entry(Struct, frozen=True):
    """A line: `key` is "" for a plain item of a list. `indent` is the place of the key itself."""

    indent: int
    key: str
    value: str
    item: bool  # it begins an item of a list


def entries(lines: Sequence[str]) -> Iterator[Entry]:
    """Every line that is a key or an item; others (of a block of text) as items with their own indent."""
    for line in lines:
        text = _REMARK.sub("", line[:MAX_LINE].expandtabs(2)).rstrip()
        if not text.strip():
            continue
        key = _KEY.fullmatch(text)
        if key is not None:
            lead, dashes, name, value = key.groups()
            yield Entry(len(lead) + len(dashes), name, unquoted(value or ""), bool(dashes))
            continue
        item = _ITEM.fullmatch(text)
        if item is not None:
            yield Entry(len(item.group(1)) + 2, "", unquoted(item.group(2)), item=True)
        else:
            yield Entry(len(text) - len(text.lstrip()), "", text.strip(), item=False)


def unquoted(value: str) -> str:
    """A plain value without the quotes around it."""
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def flow_list(value: str) -> list[str] | None:
    """`["a", "b"]` as its items; None for a value that is no such list."""
    if not (value.startswith("[") and value.endswith("]")):
        return None
    return [unquoted(match.group()) for match in _FLOW_ITEM.finditer(value[1:-1])]
