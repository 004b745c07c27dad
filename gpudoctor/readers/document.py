"""What a kind of pasted document is: how its first line looks, which lines follow, and what is read from them.

One file in `gpudoctor/readers/documents/` is one kind; each has a `DOCUMENT`. Kinds are looked for independently of one
another: a topology matrix inside collect_env's output is read as a matrix too, and the lines of a document are still
lines of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from gpudoctor.model.facts import Facts

# What a document is worth against another that says something else about the same thing.
NOTE, REPORT, TOOL, SNAPSHOT = 1, 2, 3, 4


class Document(Struct, frozen=True, kw_only=True):
    """One kind of document.

    Attributes:
        name: unique; the file's name.
        literals: a line that can begin it holds one of these; for a scanner that looks for many literals at once.
        begins: whether a line, without its prefixes, is a first line.
        belongs: whether the next line is still part, given how many lines there are so far. Where it is not, the
            line may begin the next document of the same kind.
        read: the lines as a partial `Facts`. Never raises on any text.
        max_lines: lines beyond are not looked at.
        trust: `TOOL` for the full output of the program that asks the driver or the kernel, `REPORT` for a program
            that repeats others, `NOTE` for what a person wrote down, `SNAPSHOT` for our own file.
    """

    name: str
    literals: tuple[str, ...]
    begins: Callable[[str], bool]
    belongs: Callable[[str, int], bool]
    read: Callable[[Sequence[str]], Facts]
    max_lines: int = 2000
    trust: int = TOOL


class Block(Struct, frozen=True):
    """Consecutive lines that look like one document. `line` is the number of the first, from 1."""

    document: Document
    line: int
    lines: tuple[str, ...]


class BlockFinder:
    """Takes lines in order; each kind has at most one block open at a time, of bounded length."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._open: dict[str, tuple[Document, int, list[str]]] = {}
        self._number = 0

    def line(self, text: str) -> Iterator[Block]:
        """The blocks that this line ends."""
        self._number += 1
        for name, (document, first, lines) in list(self._open.items()):
            if document.belongs(text, len(lines)) and len(lines) < document.max_lines:
                lines.append(text)
            else:
                del self._open[name]
                yield Block(document, first, tuple(lines))
        for document in self._documents:
            if document.name not in self._open and _may_begin(document, text) and document.begins(text):
                self._open[document.name] = (document, self._number, [text])

    def end(self) -> Iterator[Block]:
        """The blocks that the end of the text ends."""
        for document, first, lines in self._open.values():
            yield Block(document, first, tuple(lines))
        self._open.clear()


def blocks(lines: Sequence[str], documents: Sequence[Document]) -> Iterator[Block]:
    """Every block in `lines`, in the order of their ends."""
    finder = BlockFinder(documents)
    for line in lines:
        yield from finder.line(line)
    yield from finder.end()


def _may_begin(document: Document, text: str) -> bool:
    return any(literal in text for literal in document.literals)
