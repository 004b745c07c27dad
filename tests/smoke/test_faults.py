"""Real ranks, each fault with its verdict, phase, rank and cause, and nothing left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.smoke.runs import FAULTY, HANG_S, needs_torch, python_with_torch, run

pytestmark = needs_torch
PHASES = ("import", "cuda_init", "rendezvous", "comm_init", "correctness", "bandwidth", "teardown")
# One of each place where a rank waits differently; the full table is in docs/nccl-test.md.
SOME_PHASES = ("import", "rendezvous", "correctness")


def may_unshare() -> bool:
    return subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("phase", SOME_PHASES)
def test_a_killed_rank_is_named_with_its_phase(phase: str) -> None:
    done = run(worker=FAULTY, FAULT="kill", FAULT_PHASE=phase)
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("crash", phase, 1)
    assert (done.finding["cause"], done.finding["subject"]) == ("collective_desync", "rank:1")
    assert done.smoke["ranks"][1]["ended"] == "was killed by SIGKILL"
    assert done.leftovers == ()


@pytest.mark.parametrize("phase", SOME_PHASES)
def test_a_stopped_rank_is_named_with_its_phase_and_the_others_stacks(phase: str) -> None:
    done = run(worker=FAULTY, timeout_s=HANG_S, FAULT="stop", FAULT_PHASE=phase)
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("hang", phase, 1)
    assert (done.finding["cause"], done.finding["subject"]) == ("collective_desync", "rank:1")
    assert done.smoke["ranks"][1]["ended"] == "was stopped (state T)"
    assert any("worker.py" in frame for frame in done.smoke["ranks"][0]["stack"])
    assert done.leftovers == ()


def test_a_rank_that_does_not_get_on_is_told_from_those_that_wait_for_it() -> None:
    done = run(worker=FAULTY, timeout_s=HANG_S, FAULT="sleep", FAULT_PHASE="correctness")
    assert (done.smoke["verdict"], done.finding["subject"]) == ("hang", "rank:1")
    assert "break_down" in done.smoke["ranks"][1]["stack"][0]


def test_where_all_hang_alike_no_rank_is_blamed() -> None:
    done = run(worker=FAULTY, timeout_s=HANG_S, FAULT="sleep", FAULT_PHASE="correctness", FAULT_RANK="all")
    assert (done.smoke["verdict"], done.finding["subject"]) == ("hang", "host")


def test_a_rank_that_raises_is_the_cause_and_the_others_are_not() -> None:
    done = run(worker=FAULTY, FAULT="raise", FAULT_PHASE="correctness", FAULT_RANK="0")
    assert (done.smoke["verdict"], done.finding["subject"]) == ("crash", "rank:0")
    assert "something of its own" in done.smoke["ranks"][0]["error"]


@pytest.mark.parametrize("kind", ["zeros", "stale", "noise"])
def test_wrong_data_is_described_by_rank_offset_count_and_kind(kind: str) -> None:
    done = run(worker=FAULTY, FAULT=kind)
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("wrong_data", "correctness", 1)
    assert {wrong["rank"] for wrong in done.smoke["wrong"]} == {1}
    assert {wrong["kind"] for wrong in done.smoke["wrong"]} == {kind}
    assert {wrong["offset"] for wrong in done.smoke["wrong"]} <= {"zeros": {512}, "noise": {7}}.get(kind, set(range(9)))
    assert sum(size["wrong"] for size in done.smoke["sizes"]) == sum(one["count"] for one in done.smoke["wrong"])


def test_one_poisoned_element_of_one_rank_is_seen_by_all() -> None:
    done = run(worker=FAULTY, FAULT="poison")
    assert {wrong["rank"] for wrong in done.smoke["wrong"]} == {0, 1}
    assert {wrong["count"] for wrong in done.smoke["wrong"]} == {1}
    assert {wrong["dtype"] for wrong in done.smoke["wrong"]} == {"fp32", "fp16", "bf16"}


@pytest.mark.parametrize("rank", ["0", "1"])
def test_another_world_size_is_a_launch_mismatch(rank: str) -> None:
    done = run(worker=FAULTY, FAULT="world", FAULT_RANK=rank)
    assert (done.smoke["phase"], done.finding["cause"]) == ("rendezvous", "launch_mismatch")


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run("--master-port", str(other.getsockname()[1]))
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("crash", "rendezvous", 1)
    assert (done.finding["cause"], done.finding["subject"]) == ("rendezvous", "rank:0")
    assert "in use" in done.finding["title"]


def test_an_interface_that_does_not_exist_is_named_with_the_variable_to_correct() -> None:
    done = run(GLOO_SOCKET_IFNAME="nope0")
    assert done.finding["cause"] == "network_interface"
    assert "GLOO_SOCKET_IFNAME=nope0" in done.finding["fixes"][0]["title"]


@pytest.mark.skipif(not may_unshare(), reason="mount namespaces are not permitted here")
def test_full_shared_memory_is_named() -> None:
    small = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
    done = run(prefix=["unshare", "-m", "sh", "-c", small, "sh"])
    assert (done.smoke["phase"], done.finding["cause"]) == ("comm_init", "shm_too_small")


def test_a_limit_of_memory_is_named() -> None:
    done = run("--max-bytes", "1G", prefix=["prlimit", "--as=2500000000"])
    assert (done.smoke["verdict"], done.finding["cause"]) == ("crash", "host_ram")


@pytest.mark.parametrize(
    ("module", "cause", "verdict"),
    [
        ("raise ImportError('libcudart.so.12: cannot open shared object file')", "framework_env", "crash"),
        ("raise ImportError('undefined symbol: ncclCommWindowRegister')", "nccl_version_mismatch", "crash"),
        ("import time; time.sleep(600)", "framework_env", "hang"),
        ("import os; os.abort()", "framework_env", "crash"),
    ],
)
def test_a_torch_that_does_not_import_is_named(tmp_path: Path, module: str, cause: str, verdict: str) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(module)
    done = run(timeout_s=HANG_S, PYTHONPATH=str(tmp_path))
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == (verdict, "import", 1)
    assert (done.finding["cause"], done.finding["subject"]) == (cause, "host")


def test_missing_torch_is_named(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    done = run("--python", str(tmp_path / "bare" / "bin" / "python"))
    assert (done.smoke["phase"], done.finding["cause"]) == ("import", "framework_env")
    assert "not installed" in done.finding["title"]


def test_an_interpreter_that_is_not_there_is_named() -> None:
    done = run("--python", "/nonexistent/python")
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("crash", "import", 1)
    assert "/nonexistent/python" in done.finding["why"]


def test_more_ranks_than_gpus_is_refused_before_anything_can_hang(tmp_path: Path) -> None:
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import types\n"
        "__version__ = 'stand-in'\n"
        "version = types.SimpleNamespace(cuda='12.8')\n"
        "cuda = types.SimpleNamespace(device_count=lambda: 1)\n"
    )
    (package / "distributed.py").write_text("is_available = is_nccl_available = is_gloo_available = lambda: True\n")
    done = run(PYTHONPATH=str(tmp_path))
    assert (done.smoke["phase"], done.finding["cause"], done.exit_code) == ("cuda_init", "tp_exceeds_gpus", 1)


@pytest.mark.parametrize("size", ["1", "3"])
def test_a_sound_run_passes_and_says_that_no_gpu_was_tested(size: str) -> None:
    done = run("--tp", size, "--ops", "all")
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("pass", "done", 0)
    assert (done.smoke["backend"], done.smoke["transport"], done.report["findings"]) == ("gloo", None, [])
    assert "not the GPUs" in done.report["notes"][0]
    assert len(done.smoke["ranks"]) == int(size)
    assert done.leftovers == ()


def test_a_collective_that_this_torch_lacks_is_left_out_and_said() -> None:
    done = run("--ops", "all", "--max-bytes", "4K", worker=FAULTY, FAULT="old_torch")
    assert (done.smoke["verdict"], done.smoke["left_out"]) == ("pass", ["reduce_scatter"])
    assert {size["op"] for size in done.smoke["sizes"]} == {"all_reduce", "all_gather", "broadcast", "all_to_all"}


def test_torchrun_starts_the_same_worker_and_rank_0_reports() -> None:
    python = python_with_torch() or ""
    agent = [python, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--no-python"]
    done = run("--worker", prefix=[*agent, sys.executable, "-c", RELAY])
    assert (done.smoke["verdict"], done.smoke["world_size"], done.exit_code) == ("pass", 2, 0)


# torchrun starts what follows; the interpreter of the tests runs the command line that it is given.
RELAY = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
