"""The first processor of /proc/cpuinfo, on x86 and on ARM."""

from __future__ import annotations

from msgspec import Struct

_X86_VENDORS = {"GenuineIntel": "intel", "AuthenticAMD": "amd", "HygonGenuine": "amd"}
# ARM's /proc/cpuinfo has numbers instead of names: implementer and part of the cores that GPU servers have.
_ARM_CORES = {
    (0x41, 0xD0C): "Neoverse-N1",
    (0x41, 0xD40): "Neoverse-V1",
    (0x41, 0xD49): "Neoverse-N2",
    (0x41, 0xD4F): "Neoverse-V2",
    (0x41, 0xD84): "Neoverse-V3",
    (0x41, 0xD85): "Cortex-X925",
    (0x41, 0xD87): "Cortex-A725",
    (0xC0, 0xAC3): "Ampere-1",
    (0xC0, 0xAC4): "Ampere-1a",
}
_MAX_MODEL = 128


class Processor(Struct, frozen=True):
    """`vendor` is intel, amd, arm or other; `model` "" where it is not named; `flags` are x86's."""

    vendor: str
    model: str
    flags: frozenset[str]


def first_processor(text: str) -> Processor:
    """The first block. Raises ValueError where there is none."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            if fields:
                break
            continue
        fields.setdefault(name.strip(), value.strip())
    if "vendor_id" in fields:
        model = fields.get("model name", "")[:_MAX_MODEL]
        flags = frozenset(fields.get("flags", "").split())
        return Processor(_X86_VENDORS.get(fields["vendor_id"], "other"), model, flags)
    if "CPU implementer" in fields:
        core = (_hex(fields["CPU implementer"]), _hex(fields.get("CPU part", "")))
        return Processor("arm", _ARM_CORES.get(core, ""), frozenset())
    raise ValueError("no processor")


def socket_count(text: str) -> int:
    """Distinct physical ids. Raises ValueError where none is given."""
    found = {line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("physical id")}
    if not found:
        raise ValueError("no physical id")
    return len(found)


def _hex(text: str) -> int:
    try:
        return int(text[:8], 16)
    except ValueError:
        return -1
