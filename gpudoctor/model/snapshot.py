"""A snapshot file: the raw facts of one machine at one time. Derived facts are computed again when it is read."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from gpudoctor.model.fact import Fact
from gpudoctor.model.facts import Facts
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Tool

SNAPSHOT_SCHEMA = "gpudoctor.snapshot/1"


class Snapshot(Struct, frozen=True, kw_only=True):
    """Unknown keys are ignored, so that an older gpudoctor reads the snapshot of a newer one of the same schema."""

    schema: str
    tool: Tool
    created_at: str
    redacted: bool
    facts: Facts
    probes: tuple[ProbeResult, ...]


_MAX_GPUS = 64  # also the most that the probes look at
_MAX_PAIRS = _MAX_GPUS * _MAX_GPUS


def beyond_any_machine(facts: Facts) -> str:
    """What the facts have too many of, as the end of a sentence; "" where the rules can look at all of it in time."""
    bounded: tuple[tuple[str, Fact[Any], int], ...] = (
        ("nvml.devices", facts.nvml.devices, _MAX_GPUS),
        ("nvidia_smi.gpus", facts.nvidia_smi.gpus, _MAX_GPUS),
        ("pci.gpus", facts.pci.gpus, _MAX_GPUS),
        ("cuda.devices", facts.cuda.devices, _MAX_GPUS),
        ("nvml.pairs", facts.nvml.pairs, _MAX_PAIRS),
        ("nvidia_smi.topology", facts.nvidia_smi.topology, _MAX_PAIRS),
        ("nvidia_smi.p2p", facts.nvidia_smi.p2p, _MAX_PAIRS),
        ("cuda.peer_access", facts.cuda.peer_access, _MAX_PAIRS),
        ("pci.paths", facts.pci.paths, _MAX_PAIRS),
    )
    for name, fact, most in bounded:
        count = len(fact.or_none() or ())
        if count > most:
            return f"has {count} entries in {name}, where no machine has more than {most}"
    return ""
