"""Facts for a verb: from the live machine, or from a snapshot file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.cli import signals
from gpudoctor.cli.assemble import Examined, examined
from gpudoctor.errors import InputFileError
from gpudoctor.host import Host, HostError, LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import Workload

if TYPE_CHECKING:
    from gpudoctor.render.progress import Progress as ProgressLine
    from gpudoctor.workload import ParsedCommand

MAX_SNAPSHOT_BYTES = 32 << 20
_MAX_CONFIG_BYTES = 256 << 10


class Order(Struct, frozen=True):
    """What a command line asks of an examination."""

    request: Request
    timeout_s: float
    quiet: bool = False


class Answer(Struct, frozen=True):
    """What an examination brought, or what became of it instead."""

    examined: Examined | None = None
    problem: str = ""


def request_of(command: ParsedCommand | None, *, python: str | None, quick: bool) -> Request:
    """What the probes are told of a launch command."""
    if command is None:
        return Request(python=python, quick=quick)
    return Request(
        python=python or command.workload.interpreter.or_none(),
        launch_env=command.env,
        unset=command.unset,
        undecided=command.undecided,
        filtered_by=command.filtered_by,
        elsewhere=command.elsewhere,
        clean_environment=command.clean_environment,
        passed=command.passed,
        workload=command.workload,
        quick=quick,
    )


def live(order: Order) -> Examined:
    """Run every probe on this machine, with a live line on stderr where that is a terminal."""
    from gpudoctor.host.schedule import examine
    from gpudoctor.probes import discover

    host = LocalHost()
    request = replace(order.request, workload=with_model_config(host, order.request.workload))
    probes = discover()
    line = progress_line(wanted=not order.quiet)
    try:
        examination = examine(host, probes, request, timeout_s=order.timeout_s, progress=line.update if line else None)
    finally:
        if line:
            line.close()
    return examined(examination, probes, request.workload)


def with_model_config(host: Host, workload: Workload) -> Workload:
    """Add the config.json of a model that is a local folder."""
    model = workload.model.or_none()
    if not model or not model.startswith(("/", "./", "../", "~")):
        return workload
    try:
        folder = str(Path(model).expanduser().absolute())
    except (OSError, RuntimeError) as error:  # the current folder is gone; nobody knows this ~user
        return replace(workload, model_config=absent("failed", str(error), "config.json"))
    try:
        text = host.read(f"{folder}/config.json", _MAX_CONFIG_BYTES).decode("utf-8", "replace")
    except HostError as error:
        return replace(workload, model_config=error.fact("config.json"))
    return replace(workload, model_config=known(text, "config.json"))


def from_snapshot(path: Path) -> Examined:
    """Read a snapshot file; it is foreign: bounded and checked, and nothing in it is run.

    Raises:
        InputFileError: not readable, too large, not a snapshot.
    """
    import msgspec

    from gpudoctor.model.snapshot import SNAPSHOT_SCHEMA, Snapshot, beyond_any_machine
    from gpudoctor.redact.hints import may_hold_secrets

    data = _read_bounded(path)
    try:
        with signals.blocked():
            snapshot = msgspec.json.decode(data, type=Snapshot)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InputFileError(
            f"{path} is not a snapshot: {error}", "write one with `gpudoctor snapshot -o FILE`"
        ) from error
    if snapshot.schema != SNAPSHOT_SCHEMA:
        raise InputFileError(
            f"{path} has the schema {snapshot.schema[:80]!r}, this version reads {SNAPSHOT_SCHEMA!r}",
            "use the gpudoctor that wrote it, or write a new snapshot",
        )
    problem = beyond_any_machine(snapshot.facts)
    if problem:
        raise InputFileError(f"{path} {problem}", "write one with `gpudoctor snapshot -o FILE`")
    found = Examined(snapshot.facts, snapshot.probes, snapshot.created_at)
    if not may_hold_secrets(msgspec.msgpack.encode(found)):
        return found
    from gpudoctor.redact.masked import masked

    return masked(found)


def _read_bounded(path: Path) -> bytes:
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            data = file.read(MAX_SNAPSHOT_BYTES + 1)
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror or error}", "check the path") from error
    if len(data) > MAX_SNAPSHOT_BYTES:
        raise InputFileError(f"{path} is larger than {MAX_SNAPSHOT_BYTES >> 20} MiB, which no snapshot is")
    return data


def progress_line(*, wanted: bool, verb: str = "probing") -> ProgressLine | None:
    """The live line on stderr, where that is a terminal. `verb` is what is done to what it names."""
    if not wanted or not sys.stderr.isatty():
        return None
    from gpudoctor.render.progress import Progress as Line

    return Line(sys.stderr, verb=verb)
