"""Facts from a snapshot file."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from gpudoctor.cli import signals
from gpudoctor.cli.examine.examined import Examined
from gpudoctor.errors import InputFileError
from gpudoctor.model.snapshot import SNAPSHOT_SCHEMA, Snapshot, beyond_any_machine
from gpudoctor.redact.hints import may_hold_secrets

MAX_SNAPSHOT_BYTES = 32 << 20


def from_snapshot(path: Path) -> Examined:
    """Read a snapshot file; it is foreign: bounded and checked, and nothing in it is run.

    Raises:
        InputFileError: not readable, too large, not a snapshot.
    """
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
