"""Several files to facts and sightings: order, time, phases, hangs, who died first."""

from __future__ import annotations

from itertools import permutations

import pytest

from gpudoctor.logs.open import Source
from gpudoctor.logs.read import Reader, Reading
from gpudoctor.model.facts import Log
from tests.logs.samples import ALL

READER = Reader(ALL)


def log(text: str) -> Log:
    return READER.read_text(text).facts.log


class Text(Source):
    """A text as a file."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(None)
        self.name = name
        self._text = text

    def blocks(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - as its base
        yield self._text.encode()


def test_the_order_of_files_does_not_matter_and_time_decides_who_was_first() -> None:
    files = {
        "node1.log": "2025-11-02 10:10:00 [rank1]: x\n[rank1]: Watchdog caught collective operation timeout\n",
        "node0.log": "2025-11-02 10:00:00 x\n[rank0]: CUDA out of memory. Tried to allocate 1 GiB\n",
        "env.txt": "PyTorch version: 2.5.1+cu124\n",
    }
    readings: list[Reading] = [
        READER.read([Text(name, files[name]) for name in order]) for order in permutations(files)
    ]
    for reading in readings:
        assert reading.facts == readings[0].facts
        assert reading.seen == readings[0].seen
    deaths = readings[0].facts.log.first_errors.or_none() or ()
    assert [(one.rank, one.echo) for one in deaths] == [(0, False), (1, True)]


def test_versions_and_sizes_that_lines_state_are_facts() -> None:
    facts = READER.read_text(
        "INFO 11-02 10:00:00 llm_engine.py:237] Initializing an LLM engine (v0.6.3.post1) with config: "
        "model='facebook/opt-125m', max_seq_len=2048, tensor_parallel_size=4, pipeline_parallel_size=1, "
        "disable_custom_all_reduce=False, quantization=None, enforce_eager=True\n"
        "INFO 11-02 10:00:03 utils.py:1008] Found nccl from library libnccl.so.2\n"
        "INFO 11-02 10:00:03 pynccl.py:63] vLLM is using nccl==2.20.5\n"
    ).facts
    assert facts.python.vllm.value == "0.6.3.post1"
    assert facts.workload.tp.value == 4
    assert facts.workload.model.value == "facebook/opt-125m"
    assert facts.workload.max_model_len.value == 2048
    assert facts.workload.enforce_eager.value is True
    assert facts.workload.custom_allreduce_disabled.value is False
    assert facts.nccl.winner_version.value == "2.20.5"
    assert facts.log.engine_v1.value is False
    assert facts.log.frameworks.value == ("vllm",)
    assert facts.python.vllm.source == "log.txt:1"


NCCL = """\
box:10:20 [0] NCCL INFO Bootstrap : Using eth0:10.0.0.1<0>
box:10:20 [0] NCCL INFO Using network Socket
box:10:20 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/IPC
box:11:21 [1] NCCL INFO Channel 00/0 : 1[1] -> 0[0] via SHM/direct/direct
box:10:20 [0] NCCL INFO comm 0x55 rank 0 nranks 2 cudaDev 0 nvmlDev 0 busId 1000 commId 0xab - Init COMPLETE
box:11:21 [1] NCCL INFO comm 0x56 rank 1 nranks 2 cudaDev 1 nvmlDev 1 busId 2000 commId 0xab - Init COMPLETE
"""


def test_what_nccl_says_is_gathered() -> None:
    found = log(NCCL)
    assert found.transports.value == ("P2P/IPC", "SHM")
    assert found.networks.value == ("Socket",)
    assert found.interfaces.value == ("eth0",)
    assert (found.nccl_init_complete.value, found.nccl_nranks.value) == (2, 2)
    assert found.nodes.value == ("box",)
    assert [(one.rank, one.phase) for one in found.phases.or_none() or ()] == [
        (0, "init_complete"),
        (1, "init_complete"),
    ]


@pytest.mark.parametrize(
    ("text", "phase", "ended", "hang"),
    [
        (NCCL, "init_complete", "nothing", True),
        (NCCL + "step 3 loss: 2.1\nstep 4 loss: 2.0\n", "running", "clean", False),
        (NCCL + "^C\nTraceback (most recent call last):\nKeyboardInterrupt\n", "init_complete", "interrupted", True),
        (NCCL + "RuntimeError: something else broke\n", "init_complete", "error", False),
        (NCCL + "Killed\n", "init_complete", "killed", False),
        ("No available shared memory broadcast block found in 60 second(s).\n" * 3, None, "nothing", True),
        (
            "No available shared memory broadcast block found in 60 second(s).\n"
            "INFO Avg prompt throughput: 10.0 tokens/s\n",
            "running",
            "clean",
            False,
        ),
        ("it hangs at this point\n", None, "nothing", True),
        (
            NCCL
            + "[rank1]:[E908 06:21:11.302 ProcessGroupNCCL.cpp:2285] [PG ID 0 Rank 1] failure detected by watchdog at "
            "work sequence id: 2214 PG status: last completed work: 2213\n",
            "init_complete",
            "error",
            False,
        ),
    ],
    ids=["silence", "training", "interrupted", "error", "killed", "waits", "waited", "said", "watchdog"],
)
def test_phases_and_hangs(text: str, phase: str | None, ended: str, hang: bool) -> None:
    found = log(text)
    assert (found.last_phase.or_none(), found.ended.value, found.hang.value) == (phase, ended, hang)


def test_counts_are_zero_where_a_log_says_nothing() -> None:
    found = log("PyTorch version: 2.5.1\n")
    assert found.watchdog_timeouts.value == 0
    assert found.transports.value == ()
    assert found.last_phase.absent == "not_provided"


def test_nothing_recognised() -> None:
    assert not READER.read_text("Dear diary,\ntoday it rained.\n").recognised
    assert READER.read_text("PyTorch version: 2.5.1\n").recognised


def test_a_machine_that_three_name_is_one() -> None:
    """NCCL's host name, kubectl's pod and Ray's address are names of the same."""
    lines = [
        "[pod/vllm-0/server] INFO 11-02 10:00:00 llm_engine.py:237] Initializing an LLM engine (v0.6.3)",
        "[pod/vllm-0/server] osprey:42:43 [0] NCCL INFO Bootstrap : Using eth0:10.0.0.3<0>",
        "[pod/vllm-0/server] (RayWorkerWrapper pid=7, ip=10.0.0.3) INFO 11-02 10:00:01 worker.py:1] Loading",
    ]
    assert log("\n".join(lines)).nodes.value == ("osprey",)


def test_two_pods_are_two_nodes_whatever_their_lines_say() -> None:
    lines = [f"[pod/vllm-{number}/server] box:10:20 [0] NCCL INFO Using network Socket" for number in (0, 1)]
    assert log("\n".join(lines)).nodes.value == ("vllm-0/server", "vllm-1/server")
