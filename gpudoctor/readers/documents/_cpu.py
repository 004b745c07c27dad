"""CPU and hypervisor by the names that people and `lscpu` write."""

from __future__ import annotations

import re

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Machine
from gpudoctor.readers.documents._text import plain

_VENDORS = (
    (re.compile(r"AMD|EPYC|Ryzen|Threadripper|Opteron|Hygon", re.IGNORECASE), "amd"),
    (re.compile(r"Intel|Xeon|Core\(TM\)|\bi[3579]-\d{4}", re.IGNORECASE), "intel"),
    (re.compile(r"\bARM\b|Neoverse|Graviton|Ampere Altra|Grace|Cortex", re.IGNORECASE), "arm"),
)
_HYPERVISORS = (
    ("kvm", "kvm"),
    ("vmware", "vmware"),
    ("microsoft", "hyperv"),
    ("xen", "xen"),
    ("amazon", "aws"),
    ("google", "google"),
)


def cpu_facts(text: str, source: str) -> Machine:
    """Vendor and model; nothing where the text names no vendor that we know (a number of cores, say)."""
    vendor = next((name for pattern, name in _VENDORS if pattern.search(text[:200])), "")
    if not vendor:
        return Machine()
    model = plain(text)
    return Machine(cpu_vendor=known(vendor, source), cpu_model=known(model, source) if model else NOT_PROVIDED)


def hypervisor(vendor: str) -> str:
    """Lscpu's "Hypervisor vendor" in our words, "" for none or an unknown one that is not even named."""
    lowered = vendor.strip().lower()
    return next((name for word, name in _HYPERVISORS if word in lowered), "other" if lowered else "")
