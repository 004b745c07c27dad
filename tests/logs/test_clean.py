"""Prefixes go away, and say which rank and node wrote a line."""

from __future__ import annotations

import pytest

from gpudoctor.logs.clean import transport, worker
from gpudoctor.logs.stamps import seconds

SAID = "RuntimeError: CUDA error: invalid device ordinal"


@pytest.mark.parametrize(
    ("line", "rank", "node"),
    [
        (SAID, -1, ""),
        (f"\x1b[31m{SAID}\x1b[0m", -1, ""),
        (f"[31m{SAID}[0m", -1, ""),
        (f"> {SAID}", -1, ""),
        (f">> > {SAID}", -1, ""),
        (f"[rank3]: {SAID}", 3, ""),
        (f"[rank12]:{SAID}", 12, ""),
        (f"(VllmWorkerProcess pid=4242) {SAID}", -1, ""),
        (f"(Worker_TP1 pid=4242) {SAID}", 1, ""),
        (f"(Worker_PP0_TP3 pid=4242) {SAID}", 3, ""),
        (f"(VllmWorker rank=2 pid=77) {SAID}", 2, ""),
        (f"(EngineCore_DP0 pid=4242) {SAID}", -1, ""),
        (f"(EngineCore pid=4242) (Worker_TP2 pid=1) {SAID}", 2, ""),
        (f"(RayWorkerWrapper pid=912, ip=10.0.0.7) {SAID}", -1, "10.0.0.7"),
        (f"(pid=912) {SAID}", -1, ""),
        (f"\x1b[36m(RayWorkerWrapper pid=912, ip=10.0.0.7)\x1b[0m {SAID}", -1, "10.0.0.7"),
        (f"[1,5]<stdout>:{SAID}", 5, ""),
        (f"[1,5]<stderr>: {SAID}", 5, ""),
        (f"[default1]:{SAID}", 1, ""),
        (f"3: {SAID}", 3, ""),
        (f"vllm-1  | {SAID}", -1, ""),
        (f"worker_7    | [rank2]: {SAID}", 2, ""),
        (f"[pod/vllm-0/server] {SAID}", -1, "vllm-0/server"),
        (f"2025-11-02T10:00:00.123456789Z {SAID}", -1, ""),
        (f"2025-11-02T10:00:00.123456789Z stderr F {SAID}", -1, ""),
        (f"2025-11-02T10:00:00.123456789+01:00 stdout P {SAID}", -1, ""),
        (f"Nov 02 10:00:00 gpu07 vllm[4242]: {SAID}", -1, "gpu07"),
        (f"worker-3: {SAID}", -1, "worker-3"),
        (f"{SAID[:20]}\x00{SAID[20:]}", -1, ""),
    ],
)
def test_prefixes(line: str, rank: int, node: str) -> None:
    found = worker(transport(line))
    assert (found.text, found.rank, found.node or found.carrier) == (SAID, rank, node)


@pytest.mark.parametrize(
    ("line", "text", "rank", "node"),
    [
        ("gpu01:4242:4300 [3] NCCL INFO Using network Socket", "NCCL INFO Using network Socket", 3, "gpu01"),
        (
            "[rank1]: gpu01:4242:4300 [0] NCCL WARN Cuda failure 'x'",
            "NCCL WARN Cuda failure 'x'",
            1,
            "gpu01",
        ),
        ("[2025-01-01 10:00:00 TP3] Load weight begin.", "[2025-01-01 10:00:00 TP3] Load weight begin.", 3, ""),
        ("[2025-01-01 10:00:00 DP1 TP2 EP2] x", "[2025-01-01 10:00:00 DP1 TP2 EP2] x", 2, ""),
        ("[E1126 10:00:00 x.cpp:1] [Rank 5] Watchdog", "[E1126 10:00:00 x.cpp:1] [Rank 5] Watchdog", 5, ""),
    ],
)
def test_ranks_inside_a_line(line: str, text: str, rank: int, node: str) -> None:
    found = worker(transport(line))
    assert (found.text, found.rank, found.node) == (text, rank, node)


@pytest.mark.parametrize(
    "line",
    [
        "| GPU  Name        Persistence-M| Bus-Id        Disp.A | Volatile Uncorr. ECC |",
        "GPU0\t X \tNV12\tSYS\t0-31\t0",
        "name | memory | power |",
        "step 12: loss 0.3",
    ],
)
def test_tables_keep_their_first_column(line: str) -> None:
    assert transport(line).text == line


def test_time_stamps_of_all_kinds_are_comparable() -> None:
    lines = [
        "2025-11-02T10:00:00.250Z x",
        "2025-11-02 10:00:01,500 INFO x",
        "INFO 11-02 10:00:02 [core.py:12] x",
        "[11/02/2025-10:00:03] [TRT-LLM] [I] x",
        "[E1102 10:00:04.123456789 ProcessGroupNCCL.cpp:616] x",
        "Nov  2 10:00:05 gpu07 kernel: x",
    ]
    times = [seconds(line) for line in lines]
    assert all(time is not None for time in times)
    whole = [int(time or 0) for time in times]
    assert [time - whole[0] for time in whole] == [0, 1, 2, 3, 4, 5]
    assert seconds("no time here") is None
    assert seconds("2025-19-02T10:00:00Z") is None
