"""The rules of a command line, loaded once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gpudoctor.engine.load import RuleSet, load_rules
from gpudoctor.paths import log_rules_dir, rules_dir

if TYPE_CHECKING:
    from gpudoctor.engine.cases import ReadLog
    from gpudoctor.engine.compiled import Rule
    from gpudoctor.logs.read import Reader
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.signature import Seen


def rule_set(extra: tuple[Path, ...], *, logs: bool = False) -> RuleSet:
    """The packaged rules and those of `extra`: `check` asks for them while the probes still run.

    With `logs` the rules for logs are among them.
    """
    return _loaded(extra, logs)


@cache  # a cache tells `logs=False` from the default: here both are said the same way
def _loaded(extra: tuple[Path, ...], logs: bool) -> RuleSet:
    return load_rules(rules_dir(), *extra, logs=log_rules_dir() if logs else None)


def reader_of(rules: Iterable[Rule]) -> Reader:
    """What reads logs with the signatures of these rules, and knows the lines that mean nothing."""
    from gpudoctor.data.harmless_lines import harmless_lines
    from gpudoctor.engine.signatures import signatures_of
    from gpudoctor.logs.read import Reader
    from gpudoctor.model.signature import Signature

    harmless = (
        Signature(f"harmless__{line.name}", line.pattern, "harmless", line.unless, line.why)
        for line in harmless_lines()
    )
    return Reader((*signatures_of(rules), *harmless))


def log_reader(rules: Iterable[Rule]) -> ReadLog:
    """The same for the cases inside rules: text → facts, the derived ones too, and sightings."""
    from gpudoctor.derive import derive

    reader = reader_of(rules)

    def read(text: str) -> tuple[Facts, Seen]:
        reading = reader.read_text(text)
        return derive(reading.facts), reading.seen

    return read
