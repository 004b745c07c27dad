"""What a scanner looks for in text, and what it found. Rules write the one and read the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item

SignatureKind = Literal[
    "root",  # the line of a cause: what comes first may lead
    "echo",  # follows from something else: "worker died", a time-out on the others
    "hint",  # supports, proves nothing by itself
    "harmless",  # looks bad and is not: takes its line away from everything looser
]


class Signature(Struct, frozen=True):
    """A pattern for one line. `key` is unique: `driver_too_old__too_old` for `too_old` of the rule driver-too-old."""

    key: str
    pattern: str
    kind: SignatureKind = "root"
    unless: str = ""  # a line that matches this too is none
    note: str = ""  # why a harmless one means nothing
    literals: tuple[str, ...] = ()  # that the pattern is known to need; () where they are still to be found


class Hit(Item, frozen=True, kw_only=True):
    """A line that a signature matched, without the prefixes of containers and workers."""

    file: str
    line: int  # from 1
    text: str  # cleaned, at most 400 characters
    ordinal: int  # position among all hits, in time where the log tells it, else in the file
    rank: Fact[int] = NOT_PROVIDED
    node: Fact[str] = NOT_PROVIDED
    seconds: Fact[float] = NOT_PROVIDED  # time stamp; only differences mean something
    captures: dict[str, str]


class Sighting(Struct, frozen=True):
    """The hits of one signature in order: the first ones, the first of each rank, the last ones."""

    hits: tuple[Hit, ...]
    kind: SignatureKind
    count: int  # all of them; a lower bound in a very long log


Seen = Mapping[str, Sighting]


def signature_key(rule_id: str, name: str) -> str:
    """The key of a signature of a rule."""
    return f"{rule_id.replace('-', '_')}__{name}"
