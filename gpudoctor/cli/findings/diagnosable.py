"""Whether what was read is enough for a diagnosis: "nothing wrong found" may only be said by one who has looked.

Without answers to two questions every rule about GPUs is silent for the wrong reason: which GPUs there are, and whether
the driver answers. A third must not be left to chance either: most of the examination has to have taken place.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.cli.exit import ExitCode
from gpudoctor.model.fact import Fact
from gpudoctor.model.facts import Facts
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import ReportError

_LIMITS = "give it more files and processes (ulimit -a, the limits of the container or job), then run it again"
_TIME = "give it more time: gpudoctor check --timeout 120"
_PLACE = "run it where the machine's /sys, /proc and /dev can be read: a chroot, jail or sandbox may hide them"
_AGAIN = "run it again, as root where permission is what lacks; gpudoctor check -v lists what each probe said"
_UNSTARTED = "could not be started"
# Without it none of the many settings that break a run is looked at.
_REQUIRED = frozenset({"environment"})


def undiagnosable(facts: Facts, probes: Sequence[ProbeResult]) -> ReportError | None:
    """Why an absence of findings would say nothing about this machine; None where it does say something.

    `facts` are derived ones. `probes` may be empty: the facts may have come from elsewhere.
    """
    lost = [probe for probe in probes if probe.status in ("failed", "timeout")]
    message = _gpus(facts) or _driver(facts) or _coverage(lost, probes)
    if not message:
        return None
    return ReportError(message, _hint(lost), "undiagnosable", int(ExitCode.NO_DIAGNOSIS))


def _gpus(facts: Facts) -> str:
    """A GPU that the driver has, or a bus that was looked at, is an answer; also that there is none."""
    if facts.gpus.count.known or facts.gpus.pci_count.known:
        return ""
    return f"which GPUs there are could not be found out ({_why(nvml=facts.nvml.count, pci=facts.pci.gpus)})"


def _driver(facts: Facts) -> str:
    """Any library that says how it started will do. Without a card, none is needed."""
    asked: dict[str, Fact[object]] = {
        "nvml": facts.nvml.init_error,
        "cuda": facts.cuda.init_error,
        "nvidia_smi": facts.nvidia_smi.error,
    }
    if facts.gpus.pci_count.or_none() == 0 or any(fact.known for fact in asked.values()):
        return ""
    return f"whether the driver answers could not be found out ({_why(**asked)})"


def _coverage(lost: Sequence[ProbeResult], probes: Sequence[ProbeResult]) -> str:
    tried = [probe for probe in probes if probe.status != "skipped"]
    required = [probe for probe in lost if probe.name in _REQUIRED]
    if len(lost) * 2 <= len(tried) and not required:
        return ""
    # The most telling reason: what could not be started says why, what ended early does not.
    first = min(lost, key=lambda probe: (_UNSTARTED not in probe.reason, probe not in required))
    return f"{len(lost)} of {len(tried)} probes brought nothing ({first.name}: {first.reason})"


def _why(**asked: Fact[object]) -> str:
    return "; ".join(f"{name}: {fact.detail or fact.absent}" for name, fact in asked.items())


def _hint(lost: Sequence[ProbeResult]) -> str:
    if any(_UNSTARTED in probe.reason for probe in lost):
        return _LIMITS
    if any(probe.status == "timeout" for probe in lost):
        return _TIME
    return _AGAIN if lost else _PLACE
