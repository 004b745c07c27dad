"""What a recognised block of text is: a `topo -m` table, a kernel log, the report of collect_env.

One file in `documents/` is one kind; each has a `DOCUMENT`. The lines that it gets are cleaned (no ANSI codes, no
quoting, no prefixes of containers, tabs kept) and bounded in length, in their order, without line ends.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from gpudoctor.model.facts import Facts


class Document(Struct, frozen=True, kw_only=True):
    """A kind of block.

    `begins` is asked for lines that hold one of `literals` only, and for no line that belongs to another block. From
    there on every next line is asked `belongs(line, taken)`, where `taken` counts the lines before it (the first one
    included), until it says no or `max_lines` are taken. Blank lines are asked too; trailing ones may be taken.
    `read` never raises on bad text: what is unreadable is absent as `parse_error`, what the block does not say is left
    `not_provided`.
    """

    name: str  # shown as the source of its facts: `nvidia-smi topo -m`
    literals: tuple[str, ...]  # case-sensitive; a line that can begin the block holds one of these
    begins: Callable[[str], bool]
    belongs: Callable[[str, int], bool]
    read: Callable[[Sequence[str]], Facts]
    max_lines: int = 5000


def documents() -> tuple[Document, ...]:
    """Every kind, in the order of the names of their files."""
    package = import_module("gpudoctor.readers.documents")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if not info.name.startswith("_"))
    return tuple(import_module(f"gpudoctor.readers.documents.{name}").DOCUMENT for name in names)
