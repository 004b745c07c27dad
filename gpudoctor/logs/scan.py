"""One file through the automaton: hits of signatures and blocks of documents, in time that grows with its length."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.logs.automaton import Automaton, Literals
from gpudoctor.logs.clean import Line, Naming, transport, worker
from gpudoctor.logs.kept import Kept, RawHit
from gpudoctor.logs.open import BLOCK
from gpudoctor.logs.pattern import Matcher, literals_of
from gpudoctor.logs.pattern_parser import PatternError
from gpudoctor.logs.segments import Segmenter
from gpudoctor.logs.stamps import seconds
from gpudoctor.logs.unwrap import MAX_BYTES, unwrapped
from gpudoctor.logs.windows import Windows
from gpudoctor.model.signature import Signature
from gpudoctor.readers.document import Block, Document

MAX_TEXT: Final = 400
MAX_RANKS: Final = 1024
_OVERLAP: Final = 512  # of the pieces of an endless line
_TAIL: Final = 2  # blocks at the end of a file that are always looked at in full
_LOOK_BACK: Final = 4096  # for a time stamp
_LAST_LINES: Final = 16 << 10
# A literal that a log is full of is left out, but for the end of the log: when all of its signatures have hits enough,
# or when so many lines were looked at that it is no sign of anything.
_ENOUGH: Final = 200
_BUSY: Final = 500
_USELESS: Final = 4000
_PATIENCE: Final = 20  # a new automaton costs as much as some hundred lines
_LONG: Final = 512  # a line counts once more for so many bytes: it costs more


class Scanned(Struct):
    """What one file gave."""

    name: str
    hits: dict[str, Kept]
    blocks: list[Block]
    lines: int = 0
    bytes_read: int = 0
    tail: str = ""  # the last lines
    ranks: set[int] = set()
    nodes: dict[Naming, dict[str, None]] = {}
    notes: list[str] = []


class _Watch:
    """A signature whose patterns are compiled when a line is first looked at."""

    def __init__(self, signature: Signature) -> None:
        self.key = signature.key
        self.kind = signature.kind
        self._signature = signature
        self._compiled = False
        self._matcher: Matcher | None = None
        self._guard: Matcher | None = None

    def match(self, text: str) -> dict[str, str] | None:
        if not self._compiled:
            self._compile()
        found = self._matcher.match(text) if self._matcher is not None else None
        if found is None or (self._guard is not None and self._guard.match(text) is not None):
            return None
        return found

    def _compile(self) -> None:
        """What is not allowed never matches: lint says what is wrong, and no rule takes the others with it."""
        self._compiled = True
        try:
            self._guard = Matcher(self._signature.unless) if self._signature.unless else None
            self._matcher = Matcher(self._signature.pattern)
        except PatternError:
            self._matcher = None


class Scanner:
    """The signatures and kinds of documents, ready for any number of files."""

    def __init__(self, signatures: Sequence[Signature], documents: Sequence[Document] = ()) -> None:
        watches: dict[str, list[_Watch]] = {}
        for signature in signatures:
            watch = _Watch(signature)
            for literal in signature.literals or literals_of(signature.pattern):
                watches.setdefault(literal, []).append(watch)
        kinds: dict[str, list[Document]] = {}
        for document in documents:
            for literal in document.literals:
                kinds.setdefault(literal, []).append(document)
        literals = tuple(dict.fromkeys((*watches, *kinds)))
        self._literals = Literals(literals)
        self._watches = [tuple(watches.get(literal, ())) for literal in literals]
        self._kinds = [tuple(kinds.get(literal, ())) for literal in literals]

    def scan(self, name: str, blocks: Iterable[bytes]) -> Scanned:
        """Read one file to its end."""
        run = _Run(name, self._literals, self._watches, self._kinds)
        whole = b""
        for block in blocks:
            run.feed(block)
            whole = whole + block if run.bytes_read <= MAX_BYTES else b""
        found = run.end()
        mended = unwrapped(whole.decode("utf-8", "replace")) if whole else None
        if mended is not None:
            self._read_again(found, *mended)
        return found

    def _read_again(self, found: Scanned, text: str, numbers: Sequence[int]) -> None:
        """Add what shows only where broken lines are whole again."""
        again = _Run(found.name, self._literals, self._watches, [() for _ in self._kinds])
        again.feed(text.encode())
        for key, kept in again.end().hits.items():
            if key not in found.hits:
                moved = Kept()
                for hit in kept.hits():
                    moved.add(replace(hit, line=numbers[hit.line - 1]))
                found.hits[key] = moved


class _Piece(Struct, frozen=True):
    """Whole lines, or a piece of an endless one. The first `skip` bytes were seen before."""

    data: bytes
    skip: int


class _Run:
    def __init__(
        self,
        name: str,
        literals: Literals,
        watches: Sequence[tuple[_Watch, ...]],
        kinds: Sequence[tuple[Document, ...]],
    ) -> None:
        self._out = Scanned(name, {}, [], ranks=set(), nodes={}, notes=[])
        self._automaton = Automaton(literals)
        self._watches = watches
        self._kinds = kinds
        self._segments = Segmenter()
        self._looked: Counter[int] = Counter()
        self._patience = 0
        self._rest = b""
        self._skip = 0
        self._held: deque[_Piece] = deque()
        self._line = 1

    @property
    def bytes_read(self) -> int:
        return self._out.bytes_read

    def feed(self, block: bytes) -> None:
        """Cut at the last line end; what follows waits for more."""
        self._out.bytes_read += len(block)
        data = self._rest + block if self._rest else block
        cut = data.rfind(b"\n") + 1
        if cut:
            self._hold(_Piece(data[:cut], self._skip))
            self._rest, self._skip = data[cut:], 0
        elif len(data) >= BLOCK:
            self._hold(_Piece(data, self._skip))
            self._rest, self._skip = data[-_OVERLAP:], _OVERLAP
        else:
            self._rest = data

    def end(self) -> Scanned:
        if len(self._rest) > self._skip:
            self._held.append(_Piece(self._rest, self._skip))
        last = b"".join(piece.data[piece.skip :][-_LAST_LINES:] for piece in self._held)[-_LAST_LINES:]
        self._out.tail = last.decode("utf-8", "replace")
        while self._held:
            self._look(self._held.popleft(), everything=True)
        self._out.blocks += self._segments.end()
        self._out.lines = self._line - 1 + bool(self._rest)
        return self._out

    def _hold(self, piece: _Piece) -> None:
        self._held.append(piece)
        if len(self._held) > _TAIL:
            self._look(self._held.popleft(), everything=False)

    def _look(self, piece: _Piece, *, everything: bool) -> None:
        data = piece.data
        windows = Windows(data, self._line)
        starts: list[tuple[int, int, tuple[Document, ...]]] = []
        found = self._automaton.find(data, everything=everything)
        for start, end, number, literals in _lines(windows, found, piece):
            weight = 1 + (end - start) // _LONG
            for literal in set(literals):
                self._looked[literal] += weight
            kinds = tuple(dict.fromkeys(kind for i in literals for kind in self._kinds[i]))
            if kinds:
                starts.append((start, number, kinds))
            watches = {watch.key: watch for i in literals for watch in self._watches[i]}
            if watches:
                self._line_of(data, start, end, number, watches)
        self._out.blocks += self._segments.feed(data, self._line, starts)
        self._line += data.count(b"\n")
        if not everything:
            self._leave_out()

    def _leave_out(self) -> None:
        busy = {
            literal
            for literal, count in self._looked.items()
            if count > _USELESS or (count > _BUSY and not self._kinds[literal] and self._satisfied(literal))
        } - self._automaton.dropped
        self._patience -= len(busy)
        if busy and self._patience < 0:
            self._patience = _PATIENCE
            self._automaton.drop(busy)

    def _satisfied(self, literal: int) -> bool:
        hits = self._out.hits
        return all(watch.key in hits and hits[watch.key].count >= _ENOUGH for watch in self._watches[literal])

    def _line_of(self, data: bytes, start: int, end: int, number: int, watches: dict[str, _Watch]) -> None:
        line = worker(transport(data[start:end].decode("utf-8", "replace")))
        found = [(watch, captures) for watch in watches.values() if (captures := watch.match(line.text)) is not None]
        if not found:
            return
        harmless = [entry for entry in found if entry[0].kind == "harmless"]
        self._note_writer(line)
        kept = [(self._out.hits.setdefault(watch.key, Kept()), captures) for watch, captures in harmless or found]
        when = None
        if any(one.wants(line.rank) for one, _ in kept):
            when = seconds(line.stamp or line.text)
            when = _time_before(data, start) if when is None else when
        for one, captures in kept:
            one.add(
                RawHit(self._out.name, number, line.text[:MAX_TEXT], line.rank, line.node, line.carrier, when, captures)
            )

    def _note_writer(self, line: Line) -> None:
        if line.rank >= 0 and len(self._out.ranks) < MAX_RANKS:
            self._out.ranks.add(line.rank)
        namings: tuple[tuple[Naming, str], ...] = ((line.naming, line.node), ("carrier", line.carrier))
        for naming, name in namings:
            if name:
                names = self._out.nodes.setdefault(naming, {})
                if len(names) < MAX_RANKS:
                    names.setdefault(name)


def _lines(
    windows: Windows, found: list[tuple[int, int, int]], piece: _Piece
) -> Iterator[tuple[int, int, int, list[int]]]:
    """(start, end, number, literals) of each line that holds any."""
    literals: list[int] = []
    window = None
    for literal, start, end in found:
        if end <= piece.skip:
            continue
        if window is not None and end <= window.end:
            literals.append(literal)
            continue
        if window is not None:
            yield window.start, window.end, window.number, literals
        window = windows.around(start, end)
        literals = [literal]
    if window is not None:
        yield window.start, window.end, window.number, literals


def _time_before(data: bytes, place: int) -> float | None:
    """The time of the nearest line before `place` that tells one."""
    lines = data[max(0, place - _LOOK_BACK) : place].split(b"\n")
    for line in reversed(lines):
        when = seconds(line[:200].decode("utf-8", "replace"))
        if when is not None:
            return when
    return None
