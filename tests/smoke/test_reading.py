"""Texts of others: NCCL's log, failing libraries, faulthandler's dumps."""

from __future__ import annotations

import subprocess

import pytest

from gpudoctor.smoke.judge import doing, frames
from gpudoctor.smoke.measure import bus_factor
from gpudoctor.smoke.nccl_log import transport
from gpudoctor.smoke.plan import Member
from gpudoctor.smoke.rank import Event, RankProcess
from gpudoctor.smoke.texts import meaning_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("h:1:2 [0] NCCL INFO Channel 00 : 0[1000] -> 1[2000] via P2P/IPC", "P2P/IPC"),
        ("h:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM/read", "P2P/CUMEM"),
        ("h:1:2 [0] NCCL INFO Channel 01/0 : 1[1] -> 0[0] via SHM/direct/direct", "SHM"),
        ("h:1:2 [0] NCCL INFO Channel 00 : 0[1000] -> 1[2000] via direct shared memory", "SHM"),
        ("h:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[0] [send] via NET/Socket/0", "NET/Socket"),
        ("h:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[0] [receive] via NET/IB/0/GDRDMA", "NET/IB"),
        ("h:1:2 [0] NCCL INFO Connected all rings", None),
    ],
)
def test_the_transport_is_read_from_each_versions_lines(line: str, expected: str | None) -> None:
    assert transport([line]) == expected


def test_several_transports_are_named_most_frequent_first() -> None:
    channel = "NCCL INFO Channel 00/0 : 0[0] -> 1[1] via {}\n"
    log = channel.format("SHM/direct") + channel.format("P2P/CUMEM") * 2
    assert transport([log, channel.format("P2P/IPC")]) == "P2P/CUMEM, SHM, P2P/IPC"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 1000", "duplicate_gpu"),
        ("Error while creating shared memory segment /dev/shm/nccl-x (size 9637888)", "shm_too_small"),
        ("RuntimeError: CUDA error: system not yet initialized", "fabric_manager"),
        ("CUDA error: no kernel image is available for execution on the device", "arch_unsupported"),
        ("cannot allocate memory for thread-local data: ABORT", "host_ram"),
        ("NCCL WARN Bootstrap : no socket interface found", "network_interface"),
        ("Too many open files; Unable to find address for: lo", "framework_env"),
        ("failed to extend /dev/shm/nccl-x to 4096 bytes: File too large", "framework_env"),
    ],
)
def test_what_libraries_say_is_understood(text: str, cause: str) -> None:
    meaning = meaning_of(text)
    assert meaning is not None
    assert meaning.cause == cause


def test_what_is_not_known_has_no_meaning() -> None:
    assert meaning_of("something else") is None


def test_the_main_threads_frames_are_taken_from_a_dump() -> None:
    dump = [
        "Thread 0x01 (most recent call first):",
        '  File "/x/lib/python3.11/threading.py", line 1 in wait',
        "",
        "Current thread 0x02 (most recent call first):",
        '  File "/x/site-packages/torch/distributed/c10d.py", line 7 in all_reduce',
        '  File "/y/smoke/_target/gpudoctor_worker/worker.py", line 9 in check',
    ]
    assert frames(dump) == ("all_reduce (torch/distributed/c10d.py:7)", "check (worker.py:9)")


def test_bus_bandwidth_follows_nccl_tests() -> None:
    assert [bus_factor("all_reduce", 4), bus_factor("all_gather", 4), bus_factor("broadcast", 4)] == [1.5, 0.75, 1.0]


def rank_at(number: int, phase: str, step: str = "") -> RankProcess:
    member = Member(number, number, 2, 2, "127.0.0.1", 1)
    nobody = subprocess.Popen(["true"])
    nobody.wait()
    events = [Event("phase", phase=phase), *([Event("step", step=step)] if step else [])]
    return RankProcess(member, nobody, -1, 0.0, 0.0, events=events)


def test_what_goes_on_is_the_common_step_or_who_is_where() -> None:
    assert doing([rank_at(0, "correctness", "all_reduce"), rank_at(1, "correctness")]) == ["correctness: all_reduce"]
    assert doing([rank_at(0, "rendezvous"), rank_at(1, "import")]) == ["rendezvous (rank 0)", "import (rank 1)"]
    assert doing([rank_at(0, "done")]) == []
