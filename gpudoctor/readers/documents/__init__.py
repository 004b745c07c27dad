"""Kinds of pasted documents, one file a kind; found by directory."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gpudoctor.readers.document import Document


@cache
def documents() -> tuple[Document, ...]:
    """Every kind, by name."""
    names = sorted(name for _, name, _ in iter_modules(__path__) if not name.startswith("_"))
    return tuple(import_module(f"{__name__}.{name}").DOCUMENT for name in names)
