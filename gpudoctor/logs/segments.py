"""Documents inside of text: only the lines of an open block are walked through, the rest is passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from gpudoctor.logs.clean import transport
from gpudoctor.readers.document import Block, Document

MAX_LINE: Final = 1 << 20  # a dump in JSON may be one line
MAX_LINES: Final = 200_000  # of all blocks of a file
MAX_BLOCKS: Final = 64  # of one kind: a table that is printed every second must not leave out the others

Start = tuple[int, int, tuple[Document, ...]]  # a place, its line number, the kinds that may begin there


class Segmenter:
    """Takes blocks of bytes in order and gives documents."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Document, int, list[str]]] = {}
        self._scattered: dict[str, tuple[Document, int, list[str]]] = {}
        self._lines = 0
        self._blocks: Counter[str] = Counter()

    def feed(self, data: bytes, first_line: int, starts: Sequence[Start]) -> list[Block]:
        """The blocks that end here. `starts` are in ascending order."""
        done: list[Block] = []
        place, number = 0, first_line
        for start, start_line, kinds in starts:
            place, number = self._walk(data, place, number, start, done)
            if place < start:
                place, number = start, start_line
            text, place_after = _line_at(data, place) if place == start else (_window(data, start), place)
            if place == start:
                done += self._continue(text)
                place, number = place_after, number + 1
            self._begin(kinds, text, start_line)
        self._walk(data, place, number, len(data), done)
        return done

    def end(self) -> list[Block]:
        """The blocks that the end of the text ends."""
        rest = [*self._open.values(), *self._scattered.values()]
        self._open.clear()
        self._scattered.clear()
        return [Block(kind, first, tuple(lines)) for kind, first, lines in rest]

    def _walk(self, data: bytes, place: int, number: int, stop: int, done: list[Block]) -> tuple[int, int]:
        """Give lines to the open blocks until `stop`, or until none is open."""
        while self._open and place < stop:
            text, place = _line_at(data, place)
            number += 1
            done += self._continue(text)
        return place, number

    def _continue(self, text: str) -> Iterator[Block]:
        for name, (kind, first, lines) in list(self._open.items()):
            if len(lines) < kind.max_lines and self._lines < MAX_LINES and kind.takes(text, lines):
                lines.append(text)
                self._lines += 1
            else:
                del self._open[name]
                yield Block(kind, first, tuple(lines))

    def _begin(self, kinds: Sequence[Document], text: str, number: int) -> None:
        if text.count("\ufffd") > 2 + len(text) // 20:  # bytes of a program or a picture hold every short word
            return
        for kind in kinds:
            opened = self._scattered if kind.scattered else self._open
            block = opened.get(kind.name)
            if self._lines >= MAX_LINES:
                return
            if block is None and self._blocks[kind.name] >= MAX_BLOCKS:
                continue
            if block is not None and (not kind.scattered or len(block[2]) >= kind.max_lines):
                continue
            if not kind.begins(text):
                continue
            self._lines += 1
            if block is None:
                self._blocks[kind.name] += 1
                opened[kind.name] = (kind, number, [text])
            else:
                block[2].append(text)


def _line_at(data: bytes, place: int) -> tuple[str, int]:
    """The line that begins at `place`, and where the next one begins."""
    end = data.find(b"\n", place)
    end = len(data) if end < 0 else end
    return _clean(data[place : min(end, place + MAX_LINE)]), end + 1


def _window(data: bytes, start: int) -> str:
    """A line on the screen that is only a part of a line of the file."""
    end = data.find(b"\n", start, start + MAX_LINE)
    return _clean(data[start : end if end >= 0 else start + MAX_LINE])


def _clean(raw: bytes) -> str:
    return transport(raw.decode("utf-8", "replace").rstrip("\r")).text
