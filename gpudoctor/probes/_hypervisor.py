"""Whose virtual machine this is, from the firmware's tables, the CPU's flag and the clock."""

from __future__ import annotations

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.reading import parse_fact, text_or
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.readers.cpuinfo import Processor, first_processor

DMI = "/sys/class/dmi/id"
_CPUINFO = "/proc/cpuinfo"
_CPUINFO_BYTES = 8192
_CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
# Words of sys_vendor, product_name and bios_vendor, most special first.
_BY_FIRMWARE = (
    ("amazon ec2", "aws"),
    ("google", "google"),
    ("vmware", "vmware"),
    ("xen", "xen"),
    ("qemu", "kvm"),
    ("kvm", "kvm"),
    ("openstack", "kvm"),
    ("ovirt", "kvm"),
    ("nutanix", "kvm"),
    ("bochs", "kvm"),
)
_BY_CLOCK = (("kvm-clock", "kvm"), ("hyperv", "hyperv"), ("xen", "xen"))
# The asset tag of every Azure machine.
_AZURE_TAG = "7783-7084-3265-9085-8269-3286-77"


def processor(host: Host) -> Fact[Processor]:
    """The first CPU; only the first page of the file is read, for the whole has one block for each of hundreds."""
    try:
        text = host.read(_CPUINFO, _CPUINFO_BYTES).decode("utf-8", "replace")
    except HostError as error:
        return error.fact(_CPUINFO)
    return parse_fact(text, first_processor, _CPUINFO)


def virtual_machine(host: Host, *, wsl: bool) -> Fact[str]:
    """One of none, kvm, vmware, hyperv, xen, aws, google, azure, other.

    On x86 a hypervisor sets a CPU flag, so that cloud vendors' bare metal is told apart from their virtual machines.
    """
    if wsl:
        return known("hyperv", "/proc/sys/kernel/osrelease")
    cpu = processor(host).or_none()
    x86 = cpu is not None and bool(cpu.flags)
    if cpu is not None and x86 and "hypervisor" not in cpu.flags:
        return known("none", _CPUINFO)
    for name, source in ((_by_firmware(host), DMI), (_by_clock(host), _CLOCKS)):
        if name:
            return known(name, source)
    if x86:
        return known("other", _CPUINFO)
    if host.exists(f"{DMI}/sys_vendor"):
        return known("none", DMI)
    return absent("not_supported", "neither the CPU nor the firmware tells", DMI)


def _by_firmware(host: Host) -> str:
    vendor, product = text_or(host, f"{DMI}/sys_vendor").lower(), text_or(host, f"{DMI}/product_name").lower()
    if vendor.startswith("microsoft") and "virtual machine" in product:
        return "azure" if text_or(host, f"{DMI}/chassis_asset_tag") == _AZURE_TAG else "hyperv"
    if "amazon" in vendor and product.endswith(".metal"):
        return ""
    words = f"{vendor}\n{product}\n{text_or(host, f'{DMI}/bios_vendor').lower()}"
    return next((name for word, name in _BY_FIRMWARE if word in words), "")


def _by_clock(host: Host) -> str:
    clocks = text_or(host, _CLOCKS)
    return next((name for word, name in _BY_CLOCK if word in clocks), "")
