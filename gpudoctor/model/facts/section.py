"""The two bases of fact structs.

Unknown keys are ignored when a snapshot is read: a newer gpudoctor only adds keys.
"""

from msgspec import Struct


class Section(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A top-level group of facts; every field is a `Fact`, "not provided" until something fills it."""


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An element of a list fact (a GPU, a pair, a process). Key fields are plain; the others are facts."""
