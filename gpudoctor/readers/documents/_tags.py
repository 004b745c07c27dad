"""XML as people paste it: cut at either end, indented anew. Tags are looked for; nothing is resolved or expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_TAG = re.compile(r"<(/?)([A-Za-z_][\w.-]{0,63})((?:\s[^<>]{0,600})?)(/?)>")
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.-]{0,40})\s?=\s?[\"']([^\"'<>]{0,200})[\"']")
_MAX_TAGS = 100_000
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


class Tag(Struct, frozen=True):
    """An opening, closing or self-closing tag; `text` is what stands between it and the next tag."""

    name: str
    attributes: str
    closing: bool
    empty: bool
    text: str

    def attribute(self, name: str) -> str:
        """The value of an attribute, or ""."""
        return next((value for key, value in _ATTRIBUTE.findall(self.attributes) if key == name), "")


def tags(text: str) -> Iterator[Tag]:
    """The tags in order."""
    found = _TAG.finditer(text)
    match = next(found, None)
    for _ in range(_MAX_TAGS):
        if match is None:
            return
        following = next(found, None)
        end = following.start() if following is not None else len(text)
        attributes = match.group(3)
        yield Tag(
            name=match.group(2),
            attributes=attributes,
            closing=bool(match.group(1)),
            empty=bool(match.group(4)) or attributes.endswith("/"),
            text=_plain(text[match.end() : min(end, match.end() + 400)]),
        )
        match = following


def _plain(text: str) -> str:
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text.strip()
