"""What `gpudoctor run` does: start the command, pass everything on, and diagnose where it ends badly or hangs."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gpudoctor.cli.exit import ExitCode, PassedOn
from gpudoctor.cli.run.hang_watch import HangWatch
from gpudoctor.cli.run.log import RunLog, RunSource
from gpudoctor.errors import UsageError
from gpudoctor.host.access import HostError
from gpudoctor.host.stacks import dump_stacks
from gpudoctor.host.supervise import Ended, Supervised
from gpudoctor.model.report import ReportError

if TYPE_CHECKING:
    from gpudoctor.host.process_tree import Process
    from gpudoctor.model.report import Report

_NOT_FOUND = 127  # as shells say it
_NOT_RUN = 126
_KILL_AFTER_S = 10.0
_UNEXPLAINED = ReportError(
    "the run failed or hung, and no rule knows why",
    "start it with NCCL_DEBUG=INFO, and give the logs of all its processes to gpudoctor diagnose",
    "undiagnosable",
    int(ExitCode.NO_DIAGNOSIS),
)
_STOPPED_BY_USER = frozenset({signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE})


class Wanted(NamedTuple):
    """The options of one command line."""

    command: tuple[str, ...]
    hang_after_s: float = 300.0
    kill_on_hang: bool = False
    preflight: bool = False
    log: Path | None = None
    rules: tuple[Path, ...] = ()
    format_name: str = "text"
    output: Path | None = None
    color: str = "auto"
    verbose: bool = False


def run(wanted: Wanted) -> None:
    """Run the command to its end.

    Raises:
        PassedOn: always, with the command's exit status; or that of the preflight, where it found errors.
        UsageError: an option has no meaning.
    """
    from gpudoctor.render import check_format

    if not wanted.command:
        raise UsageError("there is no command to run", "gpudoctor run -- vllm serve ...")
    check_format(wanted.format_name)
    if wanted.preflight:
        _preflight(wanted)
    gc.enable()  # a run may take weeks
    runner = _Runner(wanted)
    try:
        ended = runner.supervised.run()
    except HostError as error:
        sys.stderr.write(f"gpudoctor: {error.detail}\n")
        raise PassedOn(_NOT_FOUND if error.reason == "tool_missing" else _NOT_RUN) from error
    if ended.as_shell and ended.killed_by not in _STOPPED_BY_USER and not runner.reported:
        runner.report(_how(ended))
    raise PassedOn(ended.as_shell)


def _how(ended: Ended) -> str:
    if ended.killed_by:
        return f"gpudoctor run: the command was killed by {_name(ended.killed_by)}"
    return f"gpudoctor run: the command ended with exit code {ended.status}"


def _name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


class _Runner:
    """The command, its log, and the watch for hangs."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._log = RunLog(wanted.log)
        self._watch = HangWatch(wanted.hang_after_s)
        self._killed_at = 0.0
        self.reported = False
        self.supervised = Supervised(wanted.command, said=self._log.add, tick=self._tick, tick_s=self._watch.tick_s)

    def _tick(self, supervised: Supervised) -> None:
        now = time.monotonic()
        if self._killed_at:
            if now - self._killed_at > _KILL_AFTER_S:
                supervised.signal(signal.SIGKILL)
            return
        processes = self._watch.hangs(supervised.pid, supervised.last_output, now)
        if not processes:
            return
        self._hang(processes, now - supervised.last_output)
        if self._wanted.kill_on_hang:
            self._killed_at = now
            supervised.signal(signal.SIGTERM)

    def _hang(self, processes: tuple[Process, ...], silent_s: float) -> None:
        stacks, problem = dump_stacks(processes)
        said = f"gpudoctor run: no output for {silent_s:.0f} s, nothing read or written; the command hangs here"
        self.report(said, stacks, note=problem)

    def report(self, *remarks: str, note: str = "") -> None:
        """Diagnose what there is, and write it where it does not mix with the command's output."""
        self.reported = True
        try:
            said = tuple(filter(None, (*remarks[:1], note)))
            _write(self._wanted, _diagnosed(self._wanted, RunSource(self._log, *remarks), said))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with us, the command goes on
            sys.stderr.write(f"gpudoctor: no diagnosis: {error}\n")


def _diagnosed(wanted: Wanted, source: RunSource, notes: tuple[str, ...]) -> Report:
    """The log, the launch command and this machine together."""
    from gpudoctor.cli.diagnose.with_log import joined
    from gpudoctor.cli.examine.examiner import examine
    from gpudoctor.cli.examine.order import Order, request_of
    from gpudoctor.cli.findings.assemble import build_report
    from gpudoctor.cli.findings.diagnose_facts import diagnose_facts
    from gpudoctor.cli.launch import read_launch
    from gpudoctor.workload import CommandError

    try:
        command, said = read_launch(wanted.command)
    except CommandError:
        command, said = None, ()
    found = examine(None, Order(request_of(command, python=None, quick=True), 30.0, quiet=True))
    together = joined(found, (source,), wanted.rules)
    facts, diagnosis = diagnose_facts(together.examined.facts, rule_dirs=wanted.rules, seen=together.seen)

    def judge(*_: object) -> ReportError | None:
        return None if any(one.severity != "info" for one in diagnosis.findings) else _UNEXPLAINED

    return build_report(together.examined, facts, diagnosis, (*notes, *said, *together.notes), judge)


def _write(wanted: Wanted, report: Report) -> None:
    """To the file that was asked for, else to stderr: stdout is the command's."""
    import io

    from gpudoctor.cli.write import render_options, write_file
    from gpudoctor.render import renderer

    text = io.StringIO()
    options = render_options(wanted.color, verbose=wanted.verbose, to_file=wanted.output is not None)
    renderer(wanted.format_name).render(report, text, options)
    if wanted.output is not None:
        write_file(wanted.output, text.getvalue())
        return
    try:
        sys.stderr.write(f"\n{text.getvalue()}")
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _preflight(wanted: Wanted) -> None:
    """`check --quick` of this launch command; where it finds an error, that is reported and nothing is started."""
    from gpudoctor.cli.check import work as checking

    report = checking.report_of(checking.Wanted(launch=wanted.command, quick=True, rules=wanted.rules), None)
    if not report.summary.errors:
        return
    _write(wanted, report)
    where = f"in {wanted.output}" if wanted.output is not None else "above"
    sys.stderr.write(f"gpudoctor: not started, because of the errors {where}\n")
    raise PassedOn(int(ExitCode.FINDINGS))
