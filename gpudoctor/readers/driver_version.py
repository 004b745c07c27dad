"""/proc/driver/nvidia/version and /proc/driver/nvidia/params."""

from __future__ import annotations

import re

from msgspec import Struct

from gpudoctor.lazy_pattern import lazy_pattern

# The open module writes "NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (builder@host) ...", the
# proprietary one "NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 ...".
_LINE = lazy_pattern(
    r"^NVRM version:[^\n]{0,80}?Kernel Module[^\n]{0,40}?\s(\d{2,4}\.\d{1,4}(?:\.\d{1,4})?\S{0,32})", re.M
)
_DWORDS = lazy_pattern(r'^RegistryDwords:\s*"?([^"\n]{0,500})', re.M)


class ModuleVersion(Struct, frozen=True):
    """Version and flavour of the loaded kernel module. The builder's name and host, which stand beside it, are left."""

    version: str
    open: bool


def module_version(text: str) -> ModuleVersion:
    """From /proc/driver/nvidia/version. Raises ValueError."""
    match = _LINE.search(text)
    if match is None:
        raise ValueError("no version of the kernel module")
    return ModuleVersion(match.group(1), "Open Kernel Module" in match.group(0))


def registry_dwords(text: str) -> str:
    """The value of RegistryDwords in /proc/driver/nvidia/params, "" where nothing is set. Raises ValueError."""
    match = _DWORDS.search(text)
    if match is None:
        raise ValueError("no RegistryDwords")
    return match.group(1).strip()
