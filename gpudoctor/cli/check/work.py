"""What `gpudoctor check` does, once its command line is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gpudoctor.cli.examine.examined import Examined
    from gpudoctor.cli.exit import ExitCode, FailOn
    from gpudoctor.cli.nccl_test.for_check import Smoked
    from gpudoctor.engine.evaluate import Diagnosis
    from gpudoctor.model.facts import Facts
    from gpudoctor.model.report import Report
    from gpudoctor.model.signature import Seen
    from gpudoctor.workload import ParsedCommand


class Wanted(Struct, frozen=True):
    """The options of one command line, by the names that they have there; defaults are those of `check --help`."""

    launch: tuple[str, ...] = ()
    flags: Mapping[str, int | float | str] = {}  # of `workload.Flags`, those that were given
    python: str | None = None
    snapshot: Path | None = None
    logs: tuple[Path, ...] = ()
    quick: bool = False
    smoke: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    format_name: str = "text"
    output: Path | None = None
    fail_on: str = "error"
    timeout: float = 60.0
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False


def run(wanted: Wanted, early: object) -> ExitCode:
    """Examine, diagnose, write. Raises as `report_of`."""
    report = report_of(wanted, early)

    from gpudoctor.cli.exit import exit_code
    from gpudoctor.cli.write import write_report

    threshold = cast("FailOn", wanted.fail_on)
    write_report(
        report, wanted.format_name, wanted.output, color=wanted.color, verbose=wanted.verbose, fail_on=threshold
    )
    return exit_code(report, threshold)


def report_of(wanted: Wanted, early: object) -> Report:
    """Examine, diagnose. `early` is the examiner that was started before the command line was read, if any.

    Raises:
        UsageError: an option has no meaning.
        GpudoctorError: the machine could not be examined.
    """
    from gpudoctor.cli.examine.examiner import examine
    from gpudoctor.cli.examine.order import Order, request_of
    from gpudoctor.errors import UsageError
    from gpudoctor.render import check_format

    if wanted.fail_on not in ("error", "warning", "never"):
        raise UsageError(f"--fail-on {wanted.fail_on!r} is none of error, warning, never")
    if wanted.smoke and (wanted.snapshot is not None or wanted.quick):
        other = "--snapshot" if wanted.snapshot is not None else "--quick"
        raise UsageError(f"--smoke runs torch on this machine, which {other} excludes", "leave one of them out")
    check_format(wanted.format_name)
    command, notes = _command(wanted)
    request = request_of(command, python=wanted.python, quick=wanted.quick)
    if wanted.snapshot is not None:
        found = _of_snapshot(wanted.snapshot, command)
    else:
        order = Order(request, wanted.timeout, wanted.quiet)
        found = examine(early, order, meanwhile=lambda: _prepare(wanted))

    from gpudoctor.cli.findings.assemble import build_report

    seen = None
    if wanted.logs:
        from gpudoctor.cli.diagnose.with_log import with_log

        together = with_log(found, wanted.logs, wanted.rules)
        found, seen, notes = together.examined, together.seen, (*notes, *together.notes)
    smoke = None
    if wanted.smoke:
        from gpudoctor.cli.nccl_test.for_check import smoked

        smoke = smoked(found, request, quiet=wanted.quiet)
        found, notes = smoke.examined, (*notes, *smoke.notes)
    facts, diagnosis = _diagnosed(wanted, found.facts, seen, smoke)
    if wanted.launch or wanted.flags or wanted.snapshot is not None:
        from gpudoctor.cli.check.unjudged import unjudged

        notes = (*notes, *unjudged(facts, launch=bool(wanted.launch)))
    report = build_report(found, facts, diagnosis, notes)
    return report if smoke is None else smoke.added_to(report)


def _diagnosed(wanted: Wanted, raw: Facts, seen: Seen | None, smoke: Smoked | None) -> tuple[Facts, Diagnosis]:
    """What the rules say; a second time where a smoke run has something to say that none of them knows."""
    from functools import partial

    from gpudoctor.cli.findings.diagnose_facts import diagnose_facts

    ask = partial(diagnose_facts, raw, rule_dirs=wanted.rules, only=wanted.only, skip=wanted.skip, seen=seen)
    facts, diagnosis = ask()
    more = smoke.unexplained(diagnosis) if smoke is not None else ()
    return ask(more=more) if more else (facts, diagnosis)


def _command(wanted: Wanted) -> tuple[ParsedCommand | None, tuple[str, ...]]:
    """What was said of the run, None for nothing: what reads commands is loaded only for one. And notes about it."""
    if not wanted.launch and not wanted.flags:
        return None, ()
    from msgspec import convert

    from gpudoctor.cli.launch import read_launch, without_credentials
    from gpudoctor.workload import Flags, combine

    if wanted.flags:
        from gpudoctor.cli.check.spelling import check_names

        check_names(wanted.flags)
    flags: dict[str, int | float | str | None] = {**wanted.flags}
    model = flags.get("model")
    if isinstance(model, str):
        flags["model"] = without_credentials(model)
    command, notes = read_launch(wanted.launch)
    return combine(convert(flags, Flags), command), notes


def _prepare(wanted: Wanted) -> None:
    """Load what is needed after the probes, while they run."""
    from gpudoctor.cli.findings import (
        assemble,  # noqa: F401 - only loaded
        diagnose_facts,  # noqa: F401 - only loaded
    )
    from gpudoctor.cli.findings.rule_set import rule_set
    from gpudoctor.render import renderer

    rule_set(wanted.rules).prepare()
    renderer(wanted.format_name)


def _of_snapshot(path: Path, command: ParsedCommand | None) -> Examined:
    """Facts of a snapshot; a run described on the command line replaces the snapshot's, with its environment."""
    from msgspec.structs import replace

    from gpudoctor.cli.examine.snapshot_file import from_snapshot

    found = from_snapshot(path)
    if command is None:
        return found
    from gpudoctor.cli.check.for_launch import with_launch

    return replace(found, facts=with_launch(found.facts, command))
