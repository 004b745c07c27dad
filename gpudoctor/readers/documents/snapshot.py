"""Our own snapshot inside of other text, as one line of JSON. A file that is one is read as a whole elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.fact import absent
from gpudoctor.model.facts import Facts, Nvml
from gpudoctor.model.snapshot import SNAPSHOT_SCHEMA
from gpudoctor.readers.document import SNAPSHOT, Document

SOURCE = "snapshot"

_HEAD = 4096  # of the line, where the schema stands


def _begins(line: str) -> bool:
    head = line[:_HEAD].lstrip()
    return head.startswith("{") and SNAPSHOT_SCHEMA in head


def _read(lines: Sequence[str]) -> Facts:
    import msgspec

    from gpudoctor.model.snapshot import Snapshot, beyond_any_machine

    try:
        snapshot = msgspec.json.decode("".join(lines).strip().encode("utf-8", "replace"), type=Snapshot)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return Facts(nvml=Nvml(devices=absent("parse_error", f"a snapshot that was cut: {error}"[:200], SOURCE)))
    return Facts() if snapshot.schema != SNAPSHOT_SCHEMA or beyond_any_machine(snapshot.facts) else snapshot.facts


DOCUMENT = Document(
    name=SOURCE,
    literals=(SNAPSHOT_SCHEMA,),
    begins=_begins,
    read=_read,
    max_lines=1,
    trust=SNAPSHOT,
)
