"""Small readings as facts: a file that is missing, forbidden or garbled becomes the absence that it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gpudoctor.host.access import Host, HostError
from gpudoctor.model.fact import Fact, absent, known

T = TypeVar("T")

_QUOTED = 60


def read_fact(host: Host, path: str, parse: Callable[[str], T], source: str = "") -> Fact[T]:
    """What `parse` makes of a small text file; `source` defaults to the path.

    `parse` raises ValueError for text that it does not understand (parse_error), or HostError with a reason of its own.
    """
    source = source or path
    try:
        text = host.read_text(path)
    except HostError as error:
        return error.fact(source)
    return parse_fact(text, parse, source)


def parse_fact(text: str, parse: Callable[[str], T], source: str) -> Fact[T]:
    """What `parse` makes of a text that was read already."""
    try:
        return known(parse(text), source)
    except ValueError:
        return absent("parse_error", f"not understood: {text[:_QUOTED]!r}", source)
    except HostError as error:
        return error.fact(source)


def text_or(host: Host, path: str, default: str = "") -> str:
    """A small text file, or `default` where it cannot be read for any reason."""
    try:
        return host.read_text(path)
    except HostError:
        return default


def names_in(host: Host, path: str) -> tuple[str, ...]:
    """The names in a folder; none where it cannot be listed for any reason."""
    try:
        return host.list_dir(path)
    except HostError:
        return ()
