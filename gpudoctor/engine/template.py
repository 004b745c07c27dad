"""Templates: text with `{expression|filter}`, and how they are filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from gpudoctor.engine.clean import clean
from gpudoctor.engine.filters import FILTERS, MAX_ITEMS, SHELL_WORD, UNKNOWN, plain_values, quoted
from gpudoctor.engine.node import Expression
from gpudoctor.engine.values import Frame, Many

_MAX_RENDERED: Final = 2000


class Hole(Struct, frozen=True):
    """A `{expression|filter}`."""

    expression: Expression
    filter: str  # its name in `FILTERS`
    word_start: bool  # it begins a word of the command


class Template(Struct, frozen=True):
    """Literal texts and holes, in order."""

    parts: tuple[str | Hole, ...]

    def prose(self, frame: Frame) -> str:
        """For people, bounded: what is absent is `?`, an empty list is "none"."""
        return self._written(frame, for_programs=False)

    def subject(self, frame: Frame) -> str:
        """What the finding is about, as programs read it: `gpu:0,gpu:1`."""
        return self._written(frame, for_programs=True)

    def _written(self, frame: Frame, *, for_programs: bool) -> str:
        parts = (part if isinstance(part, str) else _shown(part, frame, for_programs) for part in self.parts)
        text = "".join(parts).strip()
        return text if len(text) <= _MAX_RENDERED else text[: _MAX_RENDERED - 1] + "…"

    def plain(self, frame: Frame) -> str | None:
        """A value of a change: not quoted; None where a fact is absent or no honest value."""
        return self._filled([part if isinstance(part, str) else _exact(part, frame) for part in self.parts])

    def command(self, frame: Frame) -> str | None:
        """For a shell: values are quoted; None where a fact is absent or its value could be taken for an option."""
        return self._filled([part if isinstance(part, str) else _word(part, frame) for part in self.parts])

    @staticmethod
    def _filled(written: Sequence[str | None]) -> str | None:
        if None in written:
            return None
        text = "".join(part for part in written if part is not None).strip()
        return text if len(text) <= _MAX_RENDERED else None


def _shown(hole: Hole, frame: Frame, for_programs: bool) -> str:
    values = plain_values(hole.expression.run(frame))
    if values is None:
        return UNKNOWN
    chosen = FILTERS[hole.filter]
    write = chosen.subject if for_programs and chosen.subject else chosen.write
    return write(values) if values else "none"


def _exact(hole: Hole, frame: Frame) -> str | None:
    """The written value where nothing is missing, shortened or left out of it."""
    value = hole.expression.run(frame)
    values = plain_values(value)
    if values is None or (isinstance(value, Many) and value.undecided) or len(values) > MAX_ITEMS:
        return None
    if any(each is None or (isinstance(each, str) and clean(each) != each) for each in values):
        return None
    return FILTERS[hole.filter].write(values)


def _word(hole: Hole, frame: Frame) -> str | None:
    text = _exact(hole, frame)
    if text is None or (hole.word_start and text.startswith("-")):
        return None
    return text if hole.filter == SHELL_WORD else quoted(text)
