"""A snapshot file: the raw facts of one machine at one time. Derived facts are computed again when it is read."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.model.facts import Facts
from gpudoctor.model.report import ProbeResult, Tool

SNAPSHOT_SCHEMA = "gpudoctor.snapshot/1"


class Snapshot(Struct, frozen=True, kw_only=True):
    """Unknown keys are ignored, so that an older gpudoctor reads the snapshot of a newer one of the same schema."""

    schema: str
    tool: Tool
    created_at: str
    redacted: bool
    facts: Facts
    probes: tuple[ProbeResult, ...]
