"""How far the trials go: options, the budget, and who may be tried at all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.smoke.decision_table import fault, tried
from tests.smoke.runs import FAULTY, gone, marked, needs_torch, run
from tests.smoke.simulated import simulate, standin_environment

P2P: dict[str, Any] = fault("p2p", "wrong")


def test_no_bisect_tries_nothing_and_says_so(tmp_path: Path) -> None:
    done = simulate(tmp_path, P2P, "--tp", "2", "--no-bisect")
    assert (tried(done), done.smoke["decision"]["status"]) == ((), "not_tried")
    assert (done.smoke["verdict"], done.finding["cause"]) == ("wrong_data", "p2p_broken")
    assert done.finding["confidence"] < 0.7


def test_bisect_shows_what_each_setting_costs_though_the_run_passes(tmp_path: Path) -> None:
    done = simulate(tmp_path, {}, "--tp", "2", "--bisect", "--max-bytes", "64M")
    speeds = {trial["name"]: trial["busbw_gbs"] for trial in done.smoke["trials"]}
    assert (done.smoke["verdict"], done.exit_code) == ("pass", 0)
    assert speeds["as asked"] > speeds["P2P off"] > speeds["control"] > 0


def test_a_spent_budget_ends_the_search_and_proves_nothing(tmp_path: Path) -> None:
    done = simulate(tmp_path, fault("p2p"), "--tp", "2", "--budget", "4")
    assert done.smoke["decision"]["status"] == "out_of_time"
    assert (done.smoke["decision"]["part"], done.exit_code) == ("", 1)
    assert done.finding["id"] == "nccl-test-p2p-broken"


def test_named_devices_are_tried_alone_by_their_own_numbers(tmp_path: Path) -> None:
    spec = {"gpus": 4, **fault("gpu", "wrong", gpus=[3])}
    done = simulate(tmp_path, spec, "--tp", "2", "--devices", "1,3")
    assert (done.finding["cause"], done.finding["subject"]) == ("gpu_fault", "gpu:3")


def test_what_images_set_for_others_is_no_setting_of_nccl(tmp_path: Path) -> None:
    done = simulate(tmp_path, P2P, "--tp", "2", env={"NCCL_VERSION": "2.27.5-1", "NCCL_DEBUG": "INFO"})
    assert "own settings off" not in tried(done)


def test_reduced_work_is_the_part_that_failed(tmp_path: Path) -> None:
    done = simulate(tmp_path, P2P, "--tp", "2", "--ops", "broadcast,all_reduce", "--max-bytes", "64K")
    assert done.smoke["decision"]["status"] == "separated"
    assert all(trial["seconds"] < done.smoke["trials"][0]["seconds"] * 2 for trial in done.smoke["trials"][1:])


def test_an_interrupt_while_something_is_tried_leaves_no_process(tmp_path: Path) -> None:
    file = tmp_path / "gpus.json"
    file.write_text(json.dumps(fault("p2p")))
    mark = f"interrupted-{tmp_path}"
    env = {**standin_environment(tmp_path, file, ""), "SMOKE_TEST_MARK": mark}
    command = [
        sys.executable,
        "-m",
        "gpudoctor",
        "nccl-test",
        "--tp",
        "2",
        "--python",
        sys.executable,
        "--timeout",
        "4",
    ]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not any(b"NCCL_CUMEM_ENABLE=0" in environ_of(pid) for pid in marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert gone(mark)


def environ_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


@needs_torch
def test_without_nccl_there_is_nothing_to_try() -> None:
    done = run(worker=FAULTY, FAULT="noise")
    assert (tried(done), done.smoke["decision"]["status"]) == ((), "not_tried")
    assert "no NCCL" in done.smoke["decision"]["reason"]
