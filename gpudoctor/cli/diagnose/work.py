"""What `gpudoctor diagnose` does, once its command line is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from gpudoctor.cli.examine.examined import Examined, now
from gpudoctor.cli.exit import ExitCode, exit_code
from gpudoctor.cli.findings.assemble import build_report
from gpudoctor.cli.findings.diagnose_facts import diagnose_facts
from gpudoctor.cli.findings.rule_set import reader_of, rule_set
from gpudoctor.errors import InputFileError, UsageError
from gpudoctor.logs.join import Part, join
from gpudoctor.logs.open import Source
from gpudoctor.logs.read import FileNote, Reading
from gpudoctor.model.report import ReportError
from gpudoctor.model.snapshot import SNAPSHOT_SCHEMA
from gpudoctor.readers.document import SNAPSHOT

if TYPE_CHECKING:
    from gpudoctor.cli.exit import FailOn
    from gpudoctor.engine.compiled import Rule
    from gpudoctor.engine.evaluate import Diagnosis
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.report import Report

_MAX_FILES = 256
_MAX_IGNORED = 60
_HEAD = 4096  # of a snapshot, where its schema stands
_NOTHING = ReportError(
    "nothing in this text was recognised",
    "give the log from its beginning, with the first error in it; NCCL_DEBUG=INFO makes NCCL tell what it does",
    "undiagnosable",
    int(ExitCode.NO_DIAGNOSIS),
)


class Wanted(NamedTuple):
    """The options of one command line."""

    files: tuple[Path, ...]
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    ignored: bool = False
    format_name: str = "text"
    output: Path | None = None
    fail_on: str = "error"
    color: str = "auto"
    verbose: bool = False


def run(wanted: Wanted) -> ExitCode:
    """Read, diagnose, write.

    Raises:
        UsageError: an option has no meaning.
        InputFileError: a file cannot be read.
    """
    from gpudoctor.cli.write import write_report
    from gpudoctor.render import check_format

    if wanted.fail_on not in ("error", "warning", "never"):
        raise UsageError(f"--fail-on {wanted.fail_on!r} is none of error, warning, never")
    check_format(wanted.format_name)
    report = report_on(wanted)
    threshold = cast("FailOn", wanted.fail_on)
    write_report(
        report, wanted.format_name, wanted.output, color=wanted.color, verbose=wanted.verbose, fail_on=threshold
    )
    return exit_code(report, threshold)


def report_on(wanted: Wanted) -> Report:
    """The whole way from files to a report. Raises as `run`."""
    rules = rule_set(wanted.rules, logs=True).rules
    snapshots, logs = _sorted_out(wanted.files)
    reading = reader_of(rules).read(sources(logs))
    facts = join((*reading.parts, *snapshots)) if snapshots else reading.facts
    return assembled(reading, facts, wanted, recognised=reading.recognised or bool(snapshots))


def assembled(reading: Reading, raw: Facts, wanted: Wanted, *, recognised: bool) -> Report:
    """From what was read to a report."""
    facts, diagnosis = diagnose_facts(
        raw, rule_dirs=wanted.rules, only=wanted.only, skip=wanted.skip, seen=reading.seen
    )
    notes = [file_note(note) for note in reading.files]
    notes += [remark for note in reading.files for remark in note.notes]
    if wanted.ignored:
        notes += _ignored(reading, rule_set(wanted.rules, logs=True).rules)
    examined = Examined(raw, (), now())

    def judge(*_: object) -> ReportError | None:
        return _unexplained(facts, diagnosis) if recognised else _NOTHING

    return build_report(examined, facts, diagnosis, notes, judge)


def _unexplained(facts: Facts, diagnosis: Diagnosis) -> ReportError | None:
    """A run that failed, and not one finding that would say why: that is no clean bill of health."""
    log = facts.log
    failed = log.ended.or_none() in ("error", "killed") and (log.tracebacks.or_none() or log.said_hang.or_none())
    if not failed or any(finding.severity != "info" for finding in diagnosis.findings):
        return None
    last = log.last_line.or_none() or ""
    return ReportError(
        f"the run failed, and no rule knows why; its last line is: {last[:200]}",
        "give the logs of all ranks from their beginning, and what nvidia-smi, nvidia-smi topo -m and dmesg say",
        "undiagnosable",
        int(ExitCode.NO_DIAGNOSIS),
    )


def _sorted_out(files: Sequence[Path]) -> tuple[list[Part], list[Path]]:
    """Our own snapshots, and everything else."""
    if len(files) > _MAX_FILES:
        raise UsageError(
            f"{len(files)} files are more than {_MAX_FILES}", "put them together: cat ... | gpudoctor diagnose -"
        )
    snapshots: list[Part] = []
    others: list[Path] = []
    for file in files:
        if not _is_snapshot(file):
            others.append(file)
            continue
        from gpudoctor.cli.examine.snapshot_file import from_snapshot

        snapshots.append(Part(from_snapshot(file).facts, SNAPSHOT, file.name, 0, "snapshot"))
    return snapshots, others


def _is_snapshot(file: Path) -> bool:
    if str(file) == "-" or not file.is_file():
        return False
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise InputFileError(f"{file} cannot be read: {error.strerror or error}", "check its permissions") from error
    return head.lstrip()[:1] == b"{" and SNAPSHOT_SCHEMA.encode() in head


def sources(files: Sequence[Path]) -> list[Source]:
    """Files of the same name are told apart by their folders."""
    names = Counter(file.name for file in files)
    sources = [Source(None if str(file) == "-" else file) for file in files]
    for source, file in zip(sources, files, strict=True):
        if names[file.name] > 1:
            source.name = str(file)
    return sources


def file_note(note: FileNote) -> str:
    """What a file was taken for, in one line."""
    kinds = ", ".join(note.kinds) or "nothing that is known here"
    return f"{note.name}: {kinds} ({note.lines} line{'' if note.lines == 1 else 's'})"


def _ignored(reading: Reading, rules: Sequence[Rule]) -> Iterator[str]:
    """Lines that look bad, and why they mean nothing."""
    from gpudoctor.data.harmless_lines import harmless_lines
    from gpudoctor.engine.signatures import signatures_of

    reasons = {f"harmless__{line.name}": line.why for line in harmless_lines()}
    reasons |= {signature.key: signature.note for signature in signatures_of(rules)}
    found = 0
    for key, sighting in sorted(reading.seen.items()):
        if sighting.kind != "harmless" or found >= _MAX_IGNORED:
            continue
        found += 1
        hit = sighting.hits[0]
        more = f", and {sighting.count - 1} more" if sighting.count > 1 else ""
        yield f"passed over: {hit.file}:{hit.line}{more}: {hit.text[:160]} - {reasons.get(key, '')}"
