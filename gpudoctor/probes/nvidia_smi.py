"""The nvidia-smi program, whose readers are loaded only where it is asked: with --quick that is seldom."""

from __future__ import annotations

from gpudoctor.host import Host
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.facts.nvidia_smi import NvidiaSmi


def collect(host: Host, request: Request) -> NvidiaSmi:
    """What `_smi_program` brings."""
    from gpudoctor.probes import _smi_program

    return _smi_program.collect(host, request)


PROBE = Probe(
    name="nvidia_smi",
    section=NvidiaSmi,
    collect=collect,
    timeout_s=12.0,
    isolated=True,
    stands_in_for="nvml",
)
