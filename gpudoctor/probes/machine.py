"""CPU, kernel, board: /proc, /etc/os-release, /sys/class/dmi."""

from __future__ import annotations

import re

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import names_in, read_fact, text_or
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import Machine
from gpudoctor.probes._cgroups import own_groups
from gpudoctor.probes._hypervisor import DMI, processor
from gpudoctor.readers.cpuinfo import Processor, socket_count
from gpudoctor.readers.kernel_cmdline import relevant_parameters
from gpudoctor.readers.numbers import integer, number_list

_CPUS = "/sys/devices/system/cpu"
_NODES = "/sys/devices/system/node"
_STATUS = "/proc/self/status"
_FIRMWARE = "/sys/firmware"
_SECURE_BOOT = f"{_FIRMWARE}/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_LIBC_FOLDERS = ("/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
_LIBC_BYTES = 8 << 20
_GLIBC = re.compile(rb"GNU C Library[^\n\0]{0,120}? version (\d{1,2}\.\d{1,3})")
_PLACEHOLDERS = (
    "to be filled",
    "default string",
    "system manufacturer",
    "system product name",
    "not specified",
    "o.e.m",
)
_MAX_TEXT = 128
_MAX_SOCKETS = 64


def collect(host: Host, request: Request) -> Machine:  # noqa: ARG001 - every probe is called alike
    """The computer around the GPUs."""
    cpu = processor(host)
    return Machine(
        os=read_fact(host, "/etc/os-release", _pretty_name),
        kernel=read_fact(host, "/proc/sys/kernel/osrelease", _line),
        architecture=_architecture(host, cpu),
        glibc=_glibc(host),
        cpu_vendor=_vendor(cpu),
        cpu_model=_model(cpu),
        cpus=read_fact(host, f"{_CPUS}/online", lambda text: len(number_list(text))),
        cpus_allowed=_cpus_allowed(host),
        sockets=_sockets(host),
        numa_nodes=_numa_nodes(host),
        cmdline=read_fact(host, "/proc/cmdline", relevant_parameters),
        board=_board(host),
        secure_boot=_secure_boot(host),
        root=read_fact(host, _STATUS, lambda text: _status(text, "Uid").split()[1:2] == ["0"]),
    )


def _line(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("not one line of text")
    return text[:_MAX_TEXT]


def _pretty_name(text: str) -> str:
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return _line(value.strip().strip("\"'"))
    raise ValueError("no PRETTY_NAME")


def _architecture(host: Host, cpu: Fact[Processor]) -> Fact[str]:
    """As `uname -m` prints it; kernels before 6.1 have no file for it, but only one kind of machine runs them here."""
    told = read_fact(host, "/proc/sys/kernel/arch", _line)
    first = cpu.or_none()
    if told.known or first is None:
        return told
    return known("aarch64" if first.vendor == "arm" else "x86_64", "/proc/cpuinfo")


def _vendor(cpu: Fact[Processor]) -> Fact[str]:
    first = cpu.or_none()
    return known(first.vendor, cpu.source) if first is not None else absent_like(cpu)


def _model(cpu: Fact[Processor]) -> Fact[str]:
    first = cpu.or_none()
    if first is None:
        return absent_like(cpu)
    return (
        known(first.model, cpu.source) if first.model else absent("not_supported", "the kernel names none", cpu.source)
    )


def _glibc(host: Host) -> Fact[str]:
    for folder in _LIBC_FOLDERS:
        path = f"{folder}/libc.so.6"
        try:
            content = host.read(path, _LIBC_BYTES)
        except HostError:
            continue
        match = _GLIBC.search(content, max(0, content.find(b"GNU C Library")))
        return known(match.group(1).decode(), path) if match else absent("parse_error", "no version in it", path)
    if any(name.startswith("ld-musl") for name in names_in(host, "/lib")):
        return absent("not_applicable", "the C library is musl", "/lib")
    return absent("not_supported", "no libc.so.6 in the usual folders", "/lib")


def _status(text: str, name: str) -> str:
    """A line of /proc/PID/status."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.strip()
    raise ValueError(f"no {name}")


def _cpus_allowed(host: Host) -> Fact[int]:
    """The smaller of the affinity mask and the control groups' quota, rounded up to whole CPUs."""
    allowed = read_fact(host, _STATUS, lambda text: len(number_list(_status(text, "Cpus_allowed_list"))))
    count, quota = allowed.or_none(), _cpu_quota(host)
    if count is None or quota is None or quota >= count:
        return allowed
    return known(quota, "cgroup cpu.max")


def _cpu_quota(host: Host) -> int | None:
    groups = own_groups(host, "cpu")
    found: list[int] = []
    for folder in groups.folders if groups is not None else ():
        if groups is not None and groups.version == 1:
            words = [text_or(host, f"{folder}/cpu.cfs_quota_us"), text_or(host, f"{folder}/cpu.cfs_period_us")]
        else:
            words = text_or(host, f"{folder}/cpu.max").split()
        try:
            quota, period = (integer(word) for word in words)
        except ValueError:  # "max 100000", or no such file
            continue
        if quota > 0 and period > 0:
            found.append(-(-quota // period))
    return min(found) if found else None


def _sockets(host: Host) -> Fact[int]:
    """Each CPU lists the others of its package, so that one reading for each socket is enough."""
    try:
        left = set(number_list(host.read_text(f"{_CPUS}/online")))
    except (HostError, ValueError):
        left = set()
    count = 0
    while left and count < _MAX_SOCKETS:
        first = min(left)
        topology = f"{_CPUS}/cpu{first}/topology"
        siblings = text_or(host, f"{topology}/package_cpus_list") or text_or(host, f"{topology}/core_siblings_list")
        try:
            package = set(number_list(siblings))
        except ValueError:
            package = set()
        if first not in package:
            return read_fact(host, "/proc/cpuinfo", socket_count)
        left -= package
        count += 1
    return known(count, _CPUS) if count else read_fact(host, "/proc/cpuinfo", socket_count)


def _numa_nodes(host: Host) -> Fact[int]:
    """Nodes with CPUs: on Grace machines the memory of a GPU is a node too."""
    nodes = read_fact(host, f"{_NODES}/has_cpu", lambda text: len(number_list(text)))
    return nodes if nodes.known else read_fact(host, f"{_NODES}/online", lambda text: len(number_list(text)))


def _board(host: Host) -> Fact[str]:
    """Maker and model of the board, or of the whole system where the board is not named."""
    for vendor, product in (("board_vendor", "board_name"), ("sys_vendor", "product_name")):
        model = _dmi(host, product)
        if model:
            return known(f"{_dmi(host, vendor)} {model}".strip(), DMI)
    return absent("not_supported", "the firmware names neither board nor system", DMI)


def _dmi(host: Host, name: str) -> str:
    """A field of the firmware's tables, "" where the maker left what the template had."""
    text = text_or(host, f"{DMI}/{name}")[:_MAX_TEXT]
    return "" if text.lower().startswith(_PLACEHOLDERS) else text


def _secure_boot(host: Host) -> Fact[bool]:
    """The last byte of the firmware's variable. Containers hide the folder, which is not the same as no EFI."""
    try:
        content = host.read(_SECURE_BOOT, 16)
    except HostError as error:
        if error.reason != "not_applicable":
            return error.fact("efivars")
        firmware = names_in(host, _FIRMWARE)
        if not firmware or "efi" in firmware:
            return absent("not_supported", "the firmware's variables cannot be seen from here", "efivars")
        return known(False, _FIRMWARE)
    if len(content) != 5:
        return absent("parse_error", "not a SecureBoot variable", "efivars")
    return known(content[4] == 1, "efivars")


PROBE = Probe(name="machine", section=Machine, collect=collect)
