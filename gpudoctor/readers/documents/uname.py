"""`uname -a`, /proc/version, /proc/cmdline and GRUB's line, /etc/os-release: the kernel, its parameters, the system.

Linux gpu7 5.15.0-105-generic #115-Ubuntu SMP Mon Apr 15 09:52:04 UTC 2024 x86_64 x86_64 x86_64 GNU/Linux
BOOT_IMAGE=/boot/vmlinuz-5.15.0 root=UUID=... ro quiet iommu=pt
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Driver, Facts, Machine, Virtualization
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import bare, plain
from gpudoctor.readers.driver_version import module_version
from gpudoctor.readers.kernel_cmdline import relevant_parameters

SOURCE = "uname"

_UNAME = re.compile(
    r"Linux (?:\S{1,80} )?(\d\.\d{1,3}[\w.+~-]{0,60}) #\d{1,4}.{0,120}? (x86_64|aarch64|ppc64le)(?: .{0,60})?"
)
_VERSION = re.compile(r"Linux version (\d\.\d{1,3}[\w.+~-]{0,60}) ")
_CMDLINE = re.compile(r"(?:BOOT_IMAGE=\S{1,200} .{1,800}|GRUB_CMDLINE_LINUX(?:_DEFAULT)?=\"(.{0,800})\")")
_PRETTY = re.compile(r"PRETTY_NAME=\"?([^\"]{3,100})\"?")
_MODULE = re.compile(r"NVRM version: NVIDIA UNIX .{10,300}")


def _begins(line: str) -> bool:
    text = bare(line)
    return any(form.match(text) for form in (_UNAME, _VERSION, _CMDLINE, _PRETTY, _MODULE))


def _read(lines: Sequence[str]) -> Facts:
    text = [bare(line) for line in lines]
    uname = _first(_UNAME, text)
    kernel = uname.group(1) if uname else (found.group(1) if (found := _first(_VERSION, text)) else "")
    cmdline = _first(_CMDLINE, text)
    parameters = relevant_parameters(cmdline.group(1) or cmdline.group()) if cmdline else None
    pretty = _first(_PRETTY, text)
    return Facts(
        machine=Machine(
            kernel=_text(kernel),
            architecture=_text(uname.group(2) if uname else ""),
            cmdline=NOT_PROVIDED if parameters is None else known(parameters, "/proc/cmdline"),
            os=_text(pretty.group(1) if pretty else ""),
        ),
        virtualization=Virtualization(wsl=_wsl(kernel)),
        driver=_driver(text),
    )


def _wsl(kernel: str) -> Fact[int]:
    lowered = kernel.lower()
    if "microsoft" not in lowered:
        return known(0, SOURCE) if kernel else NOT_PROVIDED
    return known(2 if "standard" in lowered or "wsl2" in lowered else 1, SOURCE)


def _driver(lines: Sequence[str]) -> Driver:
    match = _first(_MODULE, lines)
    if match is None:
        return Driver()
    try:
        module = module_version(match.group())
    except ValueError:
        return Driver()
    source = "/proc/driver/nvidia/version"
    return Driver(
        module_loaded=known(True, source),
        module_version=known(module.version, source),
        module_open=known(module.open, source),
    )


def _first(form: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next((match for line in lines if (match := form.match(line))), None)


def _text(value: str) -> Fact[str]:
    value = plain(value)
    return known(value, SOURCE) if value else NOT_PROVIDED


DOCUMENT = Document(
    name=SOURCE,
    literals=("Linux ", "BOOT_IMAGE=", "GRUB_CMDLINE_LINUX", "PRETTY_NAME=", "NVRM version"),
    begins=_begins,
    read=_read,
    max_lines=16,
    scattered=True,
)
