"""What NCCL prints, in the forms of its versions from 2.4 to 2.31."""

from __future__ import annotations

import pytest

from gpudoctor.smoke.nccl_log import bus_id, read_log

START = "h:1:2 [0] NCCL INFO {}comm 0x55 rank 0 nranks 2 cudaDev 0 nvmlDev 3 busId 47000 commId 0x1f - Init {}\n"
CHANNEL = "h:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via {}\n"


@pytest.mark.parametrize("function", ["", "ncclCommInitRank ", "ncclCommInitRankConfig "])
def test_the_gpu_of_a_rank_is_known_by_number_and_bus(function: str) -> None:
    log = read_log([START.format(function, "START")], 2)
    assert (log.nvml, log.bus) == ({0: 3}, {0: "0000:47:00.0"})


def test_before_2_18_there_is_no_number() -> None:
    log = read_log(["h:1:2 [0] NCCL INFO comm 0x7f rank 1 nranks 2 cudaDev 1 busId 65000 - Init COMPLETE"], 2)
    assert (log.nvml, log.bus) == ({}, {1: "0000:65:00.0"})


@pytest.mark.parametrize(("number", "text"), [(0x47000, "0000:47:00.0"), (0x10000041000, "100000:41:00.0")])
def test_a_number_is_a_pci_address(number: int, text: str) -> None:
    assert bus_id(number) == text


@pytest.mark.parametrize(
    ("lines", "stage"),
    [
        ("", ""),
        ("h:1:2 [0] NCCL INFO Bootstrap : Using eth0:10.0.0.5<0>", "bootstrap"),
        ("h:1:2 [0] NCCL INFO Bootstrap: Using eth0:10.0.0.5<0>", "bootstrap"),
        (START.format("", "START"), "bootstrap"),
        (START.format("", "START") + "h:1:2 [0] NCCL INFO comm 0x55 rank 0 nRanks 2 nNodes 1 localRanks 2", "setup"),
        (START.format("", "START") + CHANNEL.format("SHM/direct/direct"), "data"),
        ("h:1:2 [0] NCCL INFO Ring 00 : 0[17000] -> 1[65000] via P2P/direct pointer", "data"),
    ],
)
def test_the_last_line_tells_how_far_it_came(lines: str, stage: str) -> None:
    assert read_log([lines], 2).stage == stage


def test_communicators_of_two_are_kept_apart_from_the_whole() -> None:
    whole = "h:1:2 [0] NCCL INFO comm 0x55 rank 0 nranks 4 cudaDev 0 busId 1000 - Init START\n" + CHANNEL.format("SHM")
    log = read_log([whole + START.format("", "START") + CHANNEL.format("P2P/CUMEM")], 4)
    assert (log.transport(), log.twos) == ("SHM", (("P2P/CUMEM",),))


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("[OK]   p2p: verified P2P access in both directions between every GPU pair (2 peer accesses)", "passed"),
        ("[OK]   p2p: all 2 directed GPU P2P edges verified", "passed"),
        ("[INFO] p2p: only 0/2 GPU-to-GPU peer accesses passed verification", "failed"),
        ("[INFO] p2p: 1/2 directed GPU P2P edges verified", "failed"),
        (
            "[INFO] p2p: peer-memory import failed srcRank=1 srcCudaDev=1 dstRank=0 dstCudaDev=0 reason=import;",
            "import",
        ),
    ],
)
def test_its_own_diagnostics_are_read_in_the_forms_of_2_31_and_later(line: str, result: str) -> None:
    text = f"h:1 NCCL DIAG === NCCL Diagnostics ===\nh:1 NCCL DIAG {line}\nNCCL DIAG NCCL diagnostics completed in 1 ms"
    assert read_log([text], 2).diagnosed() == result


def test_its_diagnostics_name_pairs() -> None:
    line = (
        "h:1 NCCL DIAG [INFO] p2p: write mismatch srcRank=3 srcCudaDev=3 srcNvmlDev=3 dstRank=1 dstCudaDev=1 path=PHB"
    )
    assert read_log([line], 4).diagnosed_pairs() == ((1, 3),)


def test_diagnostics_that_never_ended_conclude_nothing() -> None:
    assert read_log(["h:1 NCCL DIAG === NCCL Diagnostics ==="], 2).diagnosed() == "unfinished"


def test_lines_of_frameworks_and_of_others_do_no_harm() -> None:
    log = read_log(["(VllmWorker pid=7) " + CHANNEL.format("P2P/IPC/read") + "NCCL " * 9000 + "\x00\x1b[31m"], 2)
    assert log.transport() == "P2P/IPC"
