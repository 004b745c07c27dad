"""Which GPUs a smoke run takes where nobody has said: the best group of the size, as `check` sees it."""

from __future__ import annotations

import re
from typing import NamedTuple

from gpudoctor.host import Host, HostError

_DEVICE = re.compile(r"nvidia\d+")
# What the choice rests on; the other probes say nothing about which GPUs are close to each other, or taken.
_PROBES = ("driver", "environment", "nvidia_smi", "nvml", "pci", "virtualization")
_TIMEOUT_S = 20.0


class Choice(NamedTuple):
    """Numbers as nvidia-smi gives them, and why these, in words."""

    devices: str
    why: str


def best_group(host: Host, size: int) -> Choice | None:
    """A group of `size` GPUs that are linked better than the first ones; None where there is none, or no choice."""
    if size < 2 or "CUDA_VISIBLE_DEVICES" in host.environ or _device_count(host) <= size:
        return None
    from gpudoctor.cli.examine.live import examine_here
    from gpudoctor.derive import derive
    from gpudoctor.host.probe import Request
    from gpudoctor.model.fact import known
    from gpudoctor.model.facts import Workload
    from gpudoctor.probes import discover

    workload = Workload(tp=known(size, "option"))
    probes = [probe for probe in discover() if probe.name in _PROBES]
    examined = examine_here(host, probes, Request(workload=workload, quick=True), _TIMEOUT_S)
    group = derive(examined.facts).group
    better = group.better_gpus.or_none()
    if not better:
        return None
    link = group.better_worst_link.or_none() or "a better path"
    first = group.worst_link.or_none() or "a worse one"
    numbers = ",".join(map(str, better))
    return Choice(numbers, f"GPUs {numbers} were taken: they are linked by {link}, the first {size} by {first}")


def _device_count(host: Host) -> int:
    """GPUs that this process may open; 0 where there is no such thing as one device file for each."""
    try:
        return sum(_DEVICE.fullmatch(name) is not None for name in host.list_dir("/dev"))
    except HostError:
        return 0
