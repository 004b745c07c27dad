"""What a recognised block of text is: a `topo -m` table, a kernel log, the report of collect_env.

One file in `documents/` is one kind; each has a `DOCUMENT`. The lines that it gets are cleaned (no ANSI codes, no
quoting, no prefixes of containers, tabs kept) and bounded in length, in their order, without line ends.

Kinds are looked for independently of one another: the topology matrix inside collect_env's report is read as a matrix
too, and the lines of a block are still lines of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec import Struct

from gpudoctor.paths import module_names

if TYPE_CHECKING:
    from gpudoctor.model.facts import Facts

# What a kind is worth where another says something else about the same thing.
NOTE = 1  # what a person wrote down, in whatever words
REPORT = 2  # a program that repeats what others told it: collect_env, ds_report
TOOL = 3  # the program that asks the driver or the kernel
SNAPSHOT = 4  # our own file


class Document(Struct, frozen=True, kw_only=True):
    """A kind of block.

    `begins` is asked for lines that hold one of `literals` only. From there on every next line is asked
    `belongs(line, taken)`, where `taken` counts the lines before it (the first one included), until it says no or
    `max_lines` are taken; the line that ends a block may begin the next one of the same kind. Blank lines are asked
    too; trailing ones may be taken.

    The lines of a `scattered` kind need not stand together: every line that `begins` accepts is part of one block, up
    to `max_lines` in the whole text, and `belongs` is not asked. Of a `single` kind the first block of a text that says
    something counts: what follows is what was tried next.

    `read` never raises on bad text: what is unreadable is absent as `parse_error`, what the block does not say is left
    `not_provided`.
    """

    name: str  # shown as the source of its facts: `nvidia-smi topo -m`
    literals: tuple[str, ...]  # case-sensitive; a line that can begin the block holds one of these
    begins: Callable[[str], bool]
    read: Callable[[Sequence[str]], Facts]
    belongs: Callable[[str, int], bool] = lambda _line, _taken: False
    continued: str = ""  # what a line ends in that the next one belongs to, whatever that is
    max_lines: int = 5000
    scattered: bool = False
    single: bool = False
    trust: int = TOOL

    def takes(self, line: str, taken: Sequence[str]) -> bool:
        """Whether a line belongs to the block of those that were taken."""
        goes_on = self.continued != "" and taken[-1].rstrip().endswith(self.continued)
        return goes_on or self.belongs(line, len(taken))


class Block(Struct, frozen=True):
    """The lines of one document. `line` is the number of the first, from 1."""

    document: Document
    line: int
    lines: tuple[str, ...]


class BlockFinder:
    """Takes lines in order; each kind has at most one block open at a time, of bounded length."""

    def __init__(self, kinds: Sequence[Document]) -> None:
        self._kinds = kinds
        self._open: dict[str, tuple[Document, int, list[str]]] = {}
        self._number = 0

    def line(self, text: str) -> Iterator[Block]:
        """The blocks that this line ends."""
        self._number += 1
        for kind, first, lines in list(self._open.values()):
            if kind.scattered:
                continue
            if len(lines) < kind.max_lines and kind.takes(text, lines):
                lines.append(text)
            else:
                del self._open[kind.name]
                yield Block(kind, first, tuple(lines))
        for kind in self._kinds:
            self._begin(kind, text)

    def end(self) -> Iterator[Block]:
        """The blocks that the end of the text ends."""
        for kind, first, lines in self._open.values():
            yield Block(kind, first, tuple(lines))
        self._open.clear()

    def _begin(self, kind: Document, text: str) -> None:
        taken = self._open.get(kind.name)
        if taken is not None and (not kind.scattered or len(taken[2]) >= kind.max_lines):
            return
        if any(literal in text for literal in kind.literals) and kind.begins(text):
            if taken is None:
                self._open[kind.name] = (kind, self._number, [text])
            else:
                taken[2].append(text)


def blocks(lines: Sequence[str], kinds: Sequence[Document]) -> Iterator[Block]:
    """Every block in a short text, in the order of their ends."""
    finder = BlockFinder(kinds)
    for line in lines:
        yield from finder.line(line)
    yield from finder.end()


@cache
def documents() -> tuple[Document, ...]:
    """Every kind, in the order of the names of their files."""
    package = import_module("gpudoctor.readers.documents")
    return tuple(import_module(f"{package.__name__}.{name}").DOCUMENT for name in module_names(package.__path__))
