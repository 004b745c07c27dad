"""Runs probes as gpudoctor does, and keeps what they brought."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from gpudoctor.host.access import Host
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.schedule import examine
from gpudoctor.model.facts.section import Section
from gpudoctor.model.probe_result import ProbeResult


class Examination(Struct, frozen=True):
    """Sections by probe name, and how each probe ended."""

    sections: dict[str, Section]
    results: tuple[ProbeResult, ...]


def examination(host: Host, probes: Sequence[Probe], request: Request, *, timeout_s: float) -> Examination:
    """Run them."""
    sections: dict[str, Section] = {}

    def bring(probe: Probe, section: bytes) -> None:
        assert probe.name not in sections, "a section is brought once"
        sections[probe.name] = msgspec.msgpack.decode(section, type=probe.section)

    results = examine(host, probes, request, timeout_s=timeout_s, bring=bring)
    return Examination(sections, results)
