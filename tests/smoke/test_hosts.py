"""Two hosts (network namespaces, a wire of ours between them): healthy, and with each fault of a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from tests.smoke import network
from tests.smoke.runs import (
    FAULTY,
    HANG_S,
    TIMEOUT_S,
    Run,
    command,
    environment,
    marked,
    needs_torch,
    python_with_torch,
)

pytestmark = [needs_torch, pytest.mark.skipif(not network.available(), reason="needs root, ip and /dev/net/tun")]
Starter = Callable[[int], list[str]]


def ranks_by_hand(_rank: int) -> list[str]:
    return []


def torchrun(rank: int) -> list[str]:
    agent = [python_with_torch() or "", "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", str(rank)]
    master = ["--master-addr", network.ADDRESSES[0], "--master-port", str(network.MASTER_PORT)]
    return [*agent, "--nproc-per-node", "1", *master, "--no-python"]


def run(
    fault: str,
    *options: str,
    starter: Starter = ranks_by_hand,
    timeout_s: float = HANG_S,
    faulty: bool = False,
    **env: str,
) -> tuple[Run, str]:
    """A run of one rank a host: the report of rank 0, and what rank 1 says on stderr."""
    worker = FAULTY if faulty else None
    mark = f"hosts-{os.getpid()}-{fault}"
    told = ["--worker", "--python", python_with_torch() or "", "--max-bytes", "4K", *options]
    argv = command(*told, worker=worker, timeout_s=timeout_s)
    with network.two_hosts(fault) as hosts:
        both = [
            subprocess.Popen(
                [*network.inside(host), *starter(rank), *argv],
                env=environment(worker, SMOKE_TEST_MARK=mark, **{**variables(rank), **env}),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank, host in enumerate(hosts)
        ]
        (out, err), (_, err_1) = (process.communicate(timeout=120) for process in both)
    assert out, err
    left = tuple(f"process {pid}" for pid in marked(mark))
    return Run(both[0].returncode, json.loads(out), err, left), err_1


def variables(rank: int) -> dict[str, str]:
    """What a launcher sets; torchrun sets its own over it."""
    return {
        "GLOO_SOCKET_IFNAME": network.INTERFACE,
        "RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "MASTER_ADDR": network.ADDRESSES[0],
        "MASTER_PORT": str(network.MASTER_PORT),
    }


@pytest.mark.parametrize("starter", [ranks_by_hand, torchrun])
def test_healthy_hosts_pass_and_say_that_they_reach_each_other(starter: Starter) -> None:
    done, _ = run("healthy", starter=starter, timeout_s=TIMEOUT_S)
    assert (done.smoke["verdict"], done.smoke["world_size"], done.exit_code) == ("pass", 2, 0)
    assert [(call["a"], call["b"], call["ended"]) for call in done.smoke["calls"]] == [(0, 1, "ok"), (1, 0, "ok")]
    assert done.leftovers == ()


@pytest.mark.parametrize("fault", ["dead", "one way"])
def test_a_host_that_cannot_reach_the_master_is_named_and_says_why(fault: str) -> None:
    done, said = run(fault)
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("hang", "rendezvous", 1)
    assert (done.finding["cause"], done.finding["subject"]) == ("rendezvous", "rank:1")
    assert "The master's address does not answer" in said
    assert done.leftovers == ()


@pytest.mark.parametrize("starter", [ranks_by_hand, torchrun])
def test_a_firewall_that_lets_only_the_master_through_is_named(starter: Starter) -> None:
    done, _ = run("only the master's port", starter=starter)
    assert (done.smoke["verdict"], done.smoke["phase"], done.finding["cause"]) == ("hang", "comm_init", "rendezvous")
    assert "firewall" in done.finding["title"]
    assert "10.213.0.2" in done.finding["fixes"][0]["command"]
    assert done.leftovers == ()


def test_a_too_small_mtu_on_the_way_is_named() -> None:
    done, _ = run("small packets only")
    assert (done.smoke["verdict"], done.finding["cause"]) == ("hang", "network_interface")
    assert "MTU" in done.finding["title"]


def test_a_host_name_that_leads_to_the_loopback_is_named() -> None:
    done, _ = run("healthy", GLOO_SOCKET_IFNAME="")
    if done.smoke["calls"][0]["ended"] != "loopback":
        pytest.skip("this machine's name leads elsewhere")
    assert (done.finding["cause"], done.finding["subject"]) == ("network_interface", "host")
    assert "loopback" in done.finding["title"]


def test_high_latency_is_slow_and_says_what_it_costs() -> None:
    done, _ = run("latency", timeout_s=TIMEOUT_S)
    assert (done.smoke["verdict"], done.smoke["phase"], done.exit_code) == ("slow", "done", 0)
    assert (done.finding["cause"], done.finding["severity"]) == ("slow_interconnect", "warning")
    assert all(call["round_trip_us"] > 190_000 for call in done.smoke["calls"])


def test_an_error_on_the_other_host_is_in_the_report_of_rank_0() -> None:
    done, said = run("healthy", timeout_s=TIMEOUT_S, faulty=True, FAULT="raise", FAULT_PHASE="correctness")
    assert (done.smoke["verdict"], done.finding["subject"]) == ("crash", "rank:1")
    assert "something of its own" in done.finding["why"]
    assert "something of its own" in said


def test_shared_memory_that_is_short_on_the_other_host_is_the_cause_here() -> None:
    """Only that host has a small /dev/shm: its own mount namespace."""
    small = 'test "$RANK" = 0 || mount -t tmpfs -o size=64k tmpfs /dev/shm; exec "$@"'
    done, _ = run("healthy", starter=lambda _: ["unshare", "-m", "sh", "-c", small, "sh"], timeout_s=TIMEOUT_S)
    assert (done.smoke["verdict"], done.smoke["phase"]) == ("crash", "comm_init")
    assert (done.finding["cause"], done.finding["subject"]) == ("shm_too_small", "rank:1")


def test_a_rank_killed_on_the_other_host_is_lost_and_nobody_here_is_blamed() -> None:
    done, said = run("healthy", timeout_s=TIMEOUT_S, faulty=True, FAULT="kill", FAULT_PHASE="correctness")
    assert (done.smoke["verdict"], done.finding["cause"], done.finding["subject"]) == (
        "crash",
        "collective_desync",
        "host",
    )
    assert "A rank was killed" in said


@pytest.mark.parametrize(("fault", "word"), [("stop", "silent"), ("sleep", "did not get beyond correctness")])
def test_a_rank_that_stands_still_on_the_other_host_is_named(fault: str, word: str) -> None:
    done, _ = run("healthy", faulty=True, FAULT=fault, FAULT_PHASE="correctness")
    assert (done.smoke["verdict"], done.smoke["phase"]) == ("hang", "correctness")
    assert (done.finding["cause"], done.finding["subject"]) == ("collective_desync", "rank:1")
    assert word in done.finding["why"]


def test_torchrun_ends_all_ranks_of_a_host_and_the_report_is_written_first() -> None:
    """Both ranks on one host: the agent sends SIGTERM to the other as soon as one has ended."""
    from tests.smoke.runs import run as run_here

    agent: Sequence[str] = [python_with_torch() or "", "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = run_here(
        "--worker",
        "--max-bytes",
        "4K",
        worker=FAULTY,
        prefix=[*agent, "--no-python", sys.executable, "-c", "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"],
        FAULT="raise",
        FAULT_PHASE="correctness",
    )
    assert (done.smoke["verdict"], done.finding["subject"]) == ("crash", "rank:1")
    assert "something of its own" in done.finding["why"]
