"""`check --log FILE`: what a log says, joined with what the machine says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.cli.diagnose.work import file_note, sources
from gpudoctor.cli.examine.examined import Examined
from gpudoctor.cli.findings.rule_set import reader_of, rule_set
from gpudoctor.logs.join import Part, join
from gpudoctor.logs.open import Source
from gpudoctor.model.signature import Seen
from gpudoctor.readers.document import SNAPSHOT

_LIVE = SNAPSHOT + 1  # the machine itself is right about what it is now


class WithLog(Struct, frozen=True):
    """The machine and the log together."""

    examined: Examined
    seen: Seen
    notes: tuple[str, ...]


def with_log(found: Examined, logs: Sequence[Path], rule_dirs: tuple[Path, ...]) -> WithLog:
    """Join them. Raises InputFileError where a log cannot be read."""
    return joined(found, sources(logs), rule_dirs)


def joined(found: Examined, logs: Sequence[Source], rule_dirs: tuple[Path, ...]) -> WithLog:
    """The same for what need not be files."""
    reading = reader_of(rule_set(rule_dirs, logs=True).rules).read(logs)
    facts = join((Part(found.facts, _LIVE, "", 0, "machine"), *reading.parts))
    notes = [file_note(note) for note in reading.files]
    notes += [remark for note in reading.files for remark in note.notes]
    return WithLog(replace(found, facts=facts), reading.seen, tuple(notes))
