"""Files → facts and sightings: the one way in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.logs.join import Part, join, stamped
from gpudoctor.logs.open import Source
from gpudoctor.logs.order import sighted
from gpudoctor.logs.scan import Scanned, Scanner
from gpudoctor.logs.stated import line_signatures, stated
from gpudoctor.logs.timeline import timeline
from gpudoctor.model.facts import Facts
from gpudoctor.model.signature import Seen, Signature, SignatureKind
from gpudoctor.readers.document import REPORT, documents

_MAX_NAMED: Final = 12
_NOTHING: Final = Facts()


class FileNote(Struct, frozen=True):
    """What one file is. `kinds` are names of documents, "log" among them where lines were recognised."""

    name: str
    lines: int
    bytes_read: int
    kinds: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Reading(Struct, frozen=True):
    """What all files together give. Nothing is derived yet."""

    facts: Facts
    seen: Seen
    files: tuple[FileNote, ...]
    parts: tuple[Part, ...] = ()  # of which `facts` was joined, for whoever has more

    @property
    def recognised(self) -> bool:
        """Whether anything of it was understood."""
        return any(file.kinds for file in self.files)


class Reader:
    """Signatures and kinds of documents, loaded once for any number of readings."""

    def __init__(self, signatures: Sequence[Signature]) -> None:
        everything = (*signatures, *line_signatures())
        self._kinds: dict[str, SignatureKind] = {signature.key: signature.kind for signature in everything}
        self._scanner = Scanner(everything, documents())

    def read(self, sources: Sequence[Source]) -> Reading:
        """Read files to their ends.

        Raises:
            InputFileError: one of them cannot be read.
        """
        scanned = [self._scanner.scan(source.name, source.blocks()) for source in sources]
        notes = [tuple(source.notes) for source in sources]
        return self._reading(scanned, notes)

    def read_text(self, text: str, name: str = "log.txt") -> Reading:
        """The same for a text in memory."""
        return self._reading([self._scanner.scan(name, iter([text.encode("utf-8", "replace")]))], [()])

    def _reading(self, scanned: Sequence[Scanned], notes: Sequence[tuple[str, ...]]) -> Reading:
        seen = sighted(scanned, self._kinds)
        documents_of = [tuple(_documents(one)) for one in scanned]
        parts = [part for found in documents_of for part in found]
        said = stated(seen)
        log = timeline(scanned, seen, said.log)
        parts += [Part(replace(said, log=log), REPORT, "", 0, "log")]
        files = tuple(_note(one, found, extra) for one, found, extra in zip(scanned, documents_of, notes, strict=True))
        return Reading(join(parts), seen, files, tuple(parts))


def _documents(scanned: Scanned) -> Iterator[Part]:
    done: set[str] = set()
    for block in sorted(scanned.blocks, key=lambda block: block.line):
        kind = block.document
        facts = _NOTHING if kind.name in done else kind.read(block.lines)
        if kind.single and facts != _NOTHING:
            done.add(kind.name)
        if facts != _NOTHING:  # what looked like a document, and says nothing, is none
            yield Part(stamped(facts, f"{scanned.name}:{block.line}"), kind.trust, scanned.name, block.line, kind.name)


def _note(scanned: Scanned, found: Sequence[Part], extra: tuple[str, ...]) -> FileNote:
    kinds = [part.name for part in found]
    if scanned.hits:
        kinds.append("log")
    return FileNote(
        scanned.name,
        scanned.lines,
        scanned.bytes_read,
        tuple(dict.fromkeys(kinds))[:_MAX_NAMED],
        (*scanned.notes, *extra),
    )
