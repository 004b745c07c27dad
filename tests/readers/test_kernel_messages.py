"""The kernel log: real forms of lines from reports, in every dress in which they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model.facts import KernelLog
from gpudoctor.readers.kernel_messages import read_kernel_log

DRESSES = (
    "[74889.644138] ",
    "[Sat Jan 10 21:40:18 2026] ",
    "Nov 21 03:00:00 box kernel: ",
    "[    5.1] box kernel: ",
    "",
)


def read(*lines: str) -> KernelLog:
    return read_kernel_log("\n".join(lines), "dmesg")


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(
    ("line", "code", "device", "text"),
    [
        (
            "NVRM: Xid (PCI:0000:9b:00): 119, pid=2024380, name=nvidia-smi, Timeout after 6s of waiting for RPC",
            119,
            "0000:9b:00.0",
            "pid=2024380, name=nvidia-smi, Timeout after 6s of waiting for RPC",
        ),
        (
            "NVRM: Xid (PCI:0000:02:00): 79, GPU has fallen off the bus.",
            79,
            "0000:02:00.0",
            "GPU has fallen off the bus.",
        ),
        (
            "NVRM: Xid (PCI:0000:cb:00): 13, pid='<unknown>', name=<unknown>, Graphics SM Warp Exception",
            13,
            "0000:cb:00.0",
            "pid='<unknown>', name=<unknown>, Graphics SM Warp Exception",
        ),
        (
            "NVRM: Xid (PCI:0000:1a:00 GPU-I:02): 94, pid=1, name=x, Contained: SM",
            94,
            "0000:1a:00.0",
            "pid=1, name=x, Contained: SM",
        ),
        ("NVRM: Xid (0000:03:00): 61, 0b10(31c4)", 61, "0000:03:00.0", "0b10(31c4)"),
        ("NVRM: Xid (PCI:...): 137, RLW_RXPIPE interrupt hit", 137, "", "RLW_RXPIPE interrupt hit"),
    ],
)
def test_xids(dress: str, line: str, code: int, device: str, text: str) -> None:
    (xid,) = read(dress + line).xids.or_none() or ()

    assert (xid.code, xid.pci_bus_id, xid.text, xid.switch) == (code, device, text, False)


def test_xids_are_counted_by_code_and_gpu_in_the_order_of_the_first() -> None:
    xids = read(
        "NVRM: Xid (PCI:0000:dc:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 00",
        "NVRM: Xid (PCI:0000:dc:00): 45, pid=1, name=python3, Ch 00000001 caused by previous Xid 149",
        "NVRM: Xid (PCI:0000:ed:00): 45, pid=2, name=python3, Ch 00000001",
        "NVRM: Xid (PCI:0000:dc:00): 45, pid=1, name=python3, Ch 00000002",
        "NVRM: Xid (PCI:0000:dc:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)",
    ).xids.or_none()

    assert xids is not None
    assert [(xid.code, xid.pci_bus_id, xid.count, xid.order, xid.echo) for xid in xids] == [
        (149, "0000:dc:00.0", 1, 1, False),
        (45, "0000:dc:00.0", 2, 2, True),
        (45, "0000:ed:00.0", 1, 3, True),
        (154, "0000:dc:00.0", 1, 5, True),
    ]


def test_switch_events_are_told_apart_and_their_data_lines_are_no_events() -> None:
    (xid,) = (
        read(
            "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)",
            "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Data {0x000001c0, 0x00bd5c8a}",
        ).xids.or_none()
        or ()
    )

    assert (xid.code, xid.switch, xid.count) == (12028, True, 1)
    assert xid.text.startswith("Non-fatal, Link 32")


@pytest.mark.parametrize(
    "lines",
    [
        ["NVRM: Xid (PCI:0000:b3:00): 79, pid=0, GPU has fallen off the bus."],
        ["NVRM: GPU 0000:b3:00.0: GPU has fallen off the bus."],
        [
            "[ 1843.308145] NVRM: The NVIDIA GPU 0000:b3:00.0",
            "               NVRM: (PCI ID: 10de:26b5) installed in this system has",
            "               NVRM: fallen off the bus and is not responding to commands.",
        ],
    ],
)
def test_a_gpu_that_fell_off_the_bus_with_and_without_an_xid(lines: list[str]) -> None:
    assert read(*lines).fell_off_bus.value == ("0000:b3:00.0",)


def test_link_errors_name_the_device_that_found_them() -> None:
    log = read(
        "pcieport 0000:00:03.1: AER: Correctable error message received from 0000:00:00.0",
        "pcieport 0000:00:03.1: PCIe Bus Error: severity=Correctable, type=Data Link Layer, (Transmitter ID)",
        "nvidia 0000:01:00.0: AER: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer",
        "nvidia 0000:01:00.0: AER: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer",
    )

    assert log.aer_devices.value == ("0000:00:03.1", "0000:01:00.0")


@pytest.mark.parametrize(
    "line",
    [
        "pci 0000:02:00.0: BAR 1: no space for [mem size 0x800000000 64bit pref]",
        "pci 0000:02:00.0: BAR 1 [mem size 0x10000000 64bit pref]: can't assign; no space",
        "pci 0000:02:00.0: BAR 1: failed to assign [mem size 0x800000000 64bit pref]",
    ],
)
def test_a_bar_without_space_counts_until_a_later_attempt_succeeds(line: str) -> None:
    (failure,) = read(line).bar_failures.or_none() or ()

    assert failure == line.removeprefix("pci ")
    for assigned in ("BAR 1: assigned [mem 0x6000000000-0x67ffffffff]", "BAR 1 [mem 0x60-0x67 64bit pref]: assigned"):
        assert read(line, f"pci 0000:02:00.0: {assigned}").bar_failures.value == ()


def test_bars_of_other_vendors_io_bars_and_virtual_functions_do_not_count() -> None:
    log = read(
        "pci 0000:03:00.0: [1000:00e6] type 00 class 0x010700 PCIe Endpoint",
        "pci 0000:03:00.0: BAR 1: no space for [mem size 0x00100000]",
        "pci 0000:02:00.0: [10de:2684] type 00 class 0x030000 PCIe Legacy Endpoint",
        "pci 0000:02:00.0: BAR 5: no space for [io  size 0x0080]",
        "pci 0000:02:00.0: BAR 5 [io  size 0x0080]: can't assign; no space",
        "pci 0000:02:00.0: VF BAR 0 [mem size 0x00800000 64bit pref]: can't assign; no space",
    )

    assert log.bar_failures.value == ()


def test_the_driver_says_that_a_bar_is_not_there() -> None:
    log = read(
        "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:",
        "               NVRM: BAR1 is 0M @ 0x0 (PCI:0000:08:00.0)",
    )

    assert log.bar_failures.value == ("BAR1 is 0M @ 0x0 (PCI:0000:08:00.0)",)
    assert log.nvrm_lines.value == ("NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:",)


@pytest.mark.parametrize(
    ("line", "device"),
    [
        ("nvidia 0000:07:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x80000040]", "0000:07:00.0"),
        (
            "AMD-Vi: Event logged [IO_PAGE_FAULT device=05:00.0 domain=0x0012 address=0xff6101b0 flags=0x0070]",
            "0000:05:00.0",
        ),
        ("DMAR: [DMA Write] Request device [17:00.0] PASID ffffffff fault addr 0 [fault reason 02]", "0000:17:00.0"),
        ("DMAR: [DMA Read NO_PASID] Request device [0x00:0x02.0] fault addr 0x70ad5000", "0000:00:02.0"),
    ],
)
def test_faults_of_the_iommu_with_their_device(line: str, device: str) -> None:
    log = read("[1.0] " + line, "[1.1] " + line, "DMAR: DRHD: handling fault status reg 2")

    assert log.iommu_faults.value == 2
    assert log.iommu_fault_devices.value == (device,)


@pytest.mark.parametrize("kind", ["Translated", "Passthrough"])
def test_the_default_domain(kind: str) -> None:
    line = f"[    1.9] iommu: Default domain type: {kind} (set via kernel command line)"

    assert read(line).iommu_default_domain.value == kind
    assert read("[    1.9] something else").iommu_default_domain.absent == "not_provided"


def test_killed_processes_by_name() -> None:
    log = read(
        "Out of memory: Killed process 1234 (python3) total-vm:1kB, anon-rss:2kB, file-rss:0kB, UID:1000",
        "Memory cgroup out of memory: Killed process 99 (ray::IDLE) total-vm:1kB",
        "Memory cgroup out of memory: Killed process 98 (ray::IDLE) total-vm:1kB",
    )

    assert log.oom_kills.value == ("python3", "ray::IDLE")


def test_hung_tasks_by_name() -> None:
    log = read(
        "INFO: task kworker/u256:2:871 blocked for more than 120 seconds.", "INFO: task python3:9 blocked for more than"
    )

    assert log.hung_tasks.value == ("kworker/u256:2", "python3")


def test_an_api_mismatch_over_several_lines() -> None:
    log = read(
        "[    9.424670] NVRM: API mismatch: the client 'kwin_wayland' (pid 1005)",
        "               NVRM: has the version 595.84, but this kernel module has",
        "               NVRM: the version 595.80.  Please make sure that this",
    )

    assert log.api_mismatch.value is True
    assert read("NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.183.01").api_mismatch.value is False


@pytest.mark.parametrize(
    ("line", "rejected"),
    [
        ("Loading of unsigned module is rejected", True),
        ("Loading of module with unavailable key is rejected", True),
        ("Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7", True),
        ("nvidia: module verification failed: signature and/or required key missing - tainting kernel", False),
    ],
)
def test_a_module_that_the_kernel_refused(line: str, rejected: bool) -> None:
    assert read(line).module_rejected.value is rejected


def test_errors_of_the_driver_are_kept_once_without_what_identifies_a_card() -> None:
    status = "NVRM: nvAssertOkFailedNoLog: Assertion failed: Reset required [NV_ERR_RESET_REQUIRED] (0x{:08x})"
    log = read(
        "NVRM: GPU at PCI:0000:02:00: GPU-660d987e-5b28-3bf6-2a2d-1d5ecae7f6df failed",
        "NVRM: GPU Board Serial Number: 0322716036227",
        "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.95.05",
        *(status.format(number) for number in range(20)),
        "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0x56:1463)",
        "nvidia: version magic '6.8.0-47-generic SMP' should be '6.8.0-48-generic SMP'",
        "NVRM: something ordinary happened",
    )

    assert log.nvrm_lines.value == (
        status.format(0),
        "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0x56:1463)",
        "nvidia: version magic '6.8.0-47-generic SMP' should be '6.8.0-48-generic SMP'",
    )


def test_a_quiet_log_is_an_answer() -> None:
    log = read("[    0.000000] Linux version 6.8.0", "[    1.0] usb 1-1: new device")

    assert log.source.value == "dmesg"
    for fact in (log.xids, log.oom_kills, log.aer_devices, log.bar_failures, log.nvrm_lines, log.fell_off_bus):
        assert fact.value == ()


def test_a_storm_is_bounded() -> None:
    lines = [f"NVRM: Xid (PCI:0000:{n % 256:02x}:00): {n}, " + "x" * 5000 for n in range(5000)]
    lines += [f"NVRM: error {chr(97 + n % 26) * (n + 1)} " + "y" * 5000 for n in range(300)]
    lines += [f"Killed process {n} (name{n})" for n in range(300)]
    lines += [f"nvidia {n:04x}:01:00.0: PCIe Bus Error: severity=Corrected" for n in range(300)]

    log = read(*lines)

    assert len(log.xids.or_none() or ()) == 256
    assert max(len(xid.text) for xid in log.xids.or_none() or ()) <= 200
    assert max(len(line) for line in log.nvrm_lines.or_none() or ()) <= 250
    assert (len(log.nvrm_lines.or_none() or ()), len(log.oom_kills.or_none() or ())) == (40, 50)
    assert len(log.aer_devices.or_none() or ()) == 64


XID_62 = "NVRM: Xid (PCI:0000:01:00): 62, 0000(0000) 00000000 00000000"


def test_the_age_of_an_event_is_that_of_the_newest() -> None:
    lines = [f"[ 1000.25] {XID_62}", f"[ 5000.75] {XID_62}", "[ 6000.00] NVRM: Xid (PCI:0000:02:00): 79, gone"]
    xids = read_kernel_log("\n".join(lines), "dmesg", 9000.9).xids.or_none() or ()
    assert [(xid.code, xid.count, xid.seconds_ago.or_none()) for xid in xids] == [(62, 2, 4000), (79, 1, 3000)]


@pytest.mark.parametrize(
    ("line", "uptime_s"),
    [
        (f"[ 1000.25] {XID_62}", None),
        (XID_62, 9000.0),
        (f"[Sat Nov 21 05:00:00 2026] {XID_62}", 9000.0),
        (f"[ 1000.25] {XID_62}", 500.0),  # a container's own uptime, and the host's log
        (f"[99999999999999999999.25] {XID_62}", 9000.0),
    ],
)
def test_an_event_whose_age_nobody_can_know_has_none(line: str, uptime_s: float | None) -> None:
    (xid,) = read_kernel_log(line, "dmesg", uptime_s).xids.or_none() or ()
    assert (xid.code, xid.seconds_ago.known) == (62, False)


_WORDS = """NVRM: |Xid (|SXid (|PCI:0000:9b:00|): |79|,|fallen off the bus|0000:01:00.0: |BAR 1|[mem |]: |no space
|assigned|IO_PAGE_FAULT|device=|Killed process 1 (|INFO: task |:1 blocked for more than|PCIe Bus Error: severity=
|The NVIDIA GPU |DMAR: [DMA Write] Request device [|\x00|é| |999999999999999999999999"""
PIECES = st.sampled_from([*_WORDS.replace("\n|", "|").split("|"), "\n"])


@given(st.lists(st.one_of(PIECES, st.text(max_size=10)), max_size=60))
def test_no_text_crashes_it(pieces: list[str]) -> None:
    log = read_kernel_log("".join(pieces), "dmesg")

    assert log.xids.known
    assert all(0 <= xid.code < 100_000 for xid in log.xids.or_none() or ())
