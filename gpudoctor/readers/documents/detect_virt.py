"""What a machine says of its hypervisor: `systemd-detect-virt`, `virt-what`, the kernel's lines about DMI.

$ systemd-detect-virt
kvm
[    0.000000] DMI: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.3
[    0.000000] Hypervisor detected: KVM
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Virtualization
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare

SOURCE = "systemd-detect-virt"

# The answers of systemd-detect-virt and virt-what in our words.
_ANSWERS = {
    "none": "none",
    "kvm": "kvm",
    "qemu": "kvm",
    "vmware": "vmware",
    "microsoft": "hyperv",
    "hyperv": "hyperv",
    "xen": "xen",
    "xen-hvm": "xen",
    "amazon": "aws",
    "aws": "aws",
    "google": "google",
    "oracle": "other",
    "parallels": "other",
    "bhyve": "other",
}
_COMMAND = re.compile(r"(?:\S{0,60}[$#>] ?)?(?:sudo )?(systemd-detect-virt|virt-what)(?:[ \t:]{1,4}(\S{2,20}))?")
_KERNEL = re.compile(
    r"Hypervisor detected: (KVM|VMware|Microsoft|Xen)|DMI: (QEMU|Amazon EC2|Google|VMware|Xen|Microsoft Corporation"
    r"|Red Hat KVM|OpenStack|Alibaba Cloud|Tencent Cloud|Nutanix)"
)
_KERNEL_WORDS = (
    ("qemu", "kvm"),
    ("kvm", "kvm"),
    ("openstack", "kvm"),
    ("amazon", "aws"),
    ("google", "google"),
    ("vmware", "vmware"),
    ("microsoft", "hyperv"),
    ("xen", "xen"),
)


def _begins(line: str) -> bool:
    text = bare(line)
    return _COMMAND.fullmatch(text) is not None or _KERNEL.search(text) is not None


def _belongs(line: str, taken: int) -> bool:
    return taken == 1 and bare(line) in _ANSWERS


def _read(lines: Sequence[str]) -> Facts:
    for line in lines:
        text = bare(line)
        if match := _KERNEL.search(text):
            said = (match.group(1) or match.group(2)).lower()
            return _vm(next((name for word, name in _KERNEL_WORDS if word in said), "other"), "kernel log")
        command = _COMMAND.fullmatch(text)
        answer = command.group(2) if command else text
        if answer in _ANSWERS:
            return _vm(_ANSWERS[answer], SOURCE)
    return Facts()


def _vm(name: str, source: str) -> Facts:
    return Facts(virtualization=Virtualization(vm=known(name, source) if name else NOT_PROVIDED))


DOCUMENT = Document(
    name=SOURCE,
    literals=("systemd-detect-virt", "virt-what", "Hypervisor detected: ", "DMI: "),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=2,
)
