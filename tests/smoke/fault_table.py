"""Measure the fault table of docs/nccl-test.md with real ranks, and print it as Markdown.

python -m tests.smoke.fault_table [--only WORD] [--timeout 6]

A row: the fault, then what was seen: verdict, phase and subject, cause, exit code, seconds of the whole run, and what
was left. It takes some minutes; the namespaces and cgroups need root.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.smoke import network
from tests.smoke.runs import FAULTY, Run, run
from tests.smoke.test_hosts import Starter, ranks_by_hand, torchrun
from tests.smoke.test_hosts import run as run_hosts

PHASES = ("import", "cuda_init", "rendezvous", "comm_init", "correctness", "bandwidth", "teardown")
TORCHES = {
    "torch is broken": "raise ImportError('libcudart.so.12: cannot open shared object file')",
    "torch lacks an NCCL symbol": "raise ImportError('undefined symbol: ncclCommWindowRegister')",
    "torch aborts at import": "import os; os.abort()",
    "torch hangs at import": "import time; time.sleep(600)",
}


class Case(NamedTuple):
    """A fault and how to make it happen, given the seconds after which silence is a hang."""

    name: str
    make: Callable[[float], Run]


def in_rank(name: str, fault: str, phase: str = "", rank: str = "1") -> Case:
    """A fault of the worker in one rank, or in "all"."""
    settings = ["env", f"FAULT={fault}", f"FAULT_PHASE={phase}", f"FAULT_RANK={rank}"]
    return Case(name, lambda timeout_s: run(worker=FAULTY, timeout_s=timeout_s, prefix=settings))


def around(name: str, *options: str, prefix: Sequence[str] = ()) -> Case:
    """A fault of the machine."""
    return Case(name, lambda timeout_s: run(*options, timeout_s=timeout_s, prefix=prefix))


def ranks() -> Iterator[Case]:
    """Faults of a rank."""
    for fault, words in (("kill", "SIGKILL"), ("stop", "SIGSTOP"), ("raise", "raises")):
        for phase in PHASES:
            yield in_rank(f"{words} in {phase}", fault, phase)
    for phase in ("import", "comm_init", "correctness"):
        yield in_rank(f"sleeps in {phase}", "sleep", phase)
    yield in_rank("every rank sleeps in correctness", "sleep", "correctness", "all")
    yield in_rank("SIGSEGV in comm_init", "segfault", "comm_init")
    for fault, words in (("zeros", "zeros"), ("stale", "of the round before"), ("own", "its own"), ("noise", "noise")):
        yield in_rank(f"result: {words}", fault)
    yield in_rank("one poisoned element in its input", "poison")
    yield in_rank("another WORLD_SIZE", "world")
    for phase in ("import", "correctness"):
        yield in_rank(f"address space used up (RLIMIT_AS) in {phase}", "memory", phase)


def machine() -> Iterator[Case]:
    """Faults around the ranks."""
    yield Case("master port taken", port_taken)
    yield around("GLOO_SOCKET_IFNAME names no interface", prefix=["env", "GLOO_SOCKET_IFNAME=nope0"])
    small = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
    yield around("/dev/shm of 64 KiB", prefix=["unshare", "-m", "sh", "-c", small, "sh"])
    yield around("RLIMIT_AS of 2.5 GB, 1 GiB messages", "--max-bytes", "1G", prefix=["prlimit", "--as=2500000000"])
    yield Case("cgroup of 1 GiB, rank outgrows it", cgroup)
    yield around("interpreter missing", "--python", "/nonexistent/python")
    yield Case("torch missing", without_torch)
    for words, text in TORCHES.items():
        yield Case(words, partial(torch_that, text))


def hosts() -> Iterator[Case]:
    """Faults of the network between two hosts, and of a rank on the other one."""
    for fault in network.FAULTS:
        yield Case(f"hosts: {fault}", partial(over_network, fault, ranks_by_hand))
    yield Case("hosts: name leads to the loopback", loopback)
    for fault in ("healthy", "only the master's port", "small packets only", "latency"):
        yield Case(f"torchrun: {fault}", partial(over_network, fault, torchrun))
    for fault in ("raise", "kill", "stop"):
        yield Case(f"hosts: rank 1 {fault}", partial(rank_elsewhere, fault))


def over_network(fault: str, starter: Starter, timeout_s: float) -> Run:
    return run_hosts(fault, starter=starter, timeout_s=timeout_s)[0]


def loopback(timeout_s: float) -> Run:
    return run_hosts("healthy", timeout_s=timeout_s, GLOO_SOCKET_IFNAME="")[0]


def rank_elsewhere(fault: str, timeout_s: float) -> Run:
    return run_hosts("healthy", timeout_s=timeout_s, faulty=True, FAULT=fault, FAULT_PHASE="correctness")[0]


def port_taken(timeout_s: float) -> Run:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        return run("--master-port", str(other.getsockname()[1]), timeout_s=timeout_s)


def cgroup(timeout_s: float) -> Run:
    group = Path(f"/sys/fs/cgroup/memory/gpudoctor-table-{os.getpid()}")
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(1 << 30))
        enter = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
        return run(prefix=enter, worker=FAULTY, timeout_s=timeout_s, FAULT="grow", FAULT_PHASE="correctness")
    finally:
        group.rmdir()


def without_torch(timeout_s: float) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
        python.chmod(0o755)
        return run("--python", str(python), timeout_s=timeout_s)


def torch_that(text: str, timeout_s: float) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "torch").mkdir()
        (Path(folder) / "torch" / "__init__.py").write_text(text)
        return run(timeout_s=timeout_s, PYTHONPATH=f"{folder}:{os.environ.get('PYTHONPATH', '')}")


def row(case: Case, timeout_s: float) -> str:
    """One line of the table."""
    started = time.monotonic()
    done = case.make(timeout_s)
    seconds = time.monotonic() - started
    findings = done.report["findings"]
    finding = findings[0] if findings else None
    cause = f"`{finding['cause']}` ({finding['confidence']:.0%})" if finding else ""
    where = f"{done.smoke['phase']}, {finding['subject']}" if finding else done.smoke["phase"]
    cells = (case.name, done.smoke["verdict"], where, cause, done.exit_code, f"{seconds:.1f}", len(done.leftovers))
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--timeout", type=float, default=6.0)
    arguments = parser.parse_args()
    sys.stdout.write(
        "| fault | verdict | phase, subject | cause | exit | seconds | left |\n|---|---|---|---|---|---|---|\n"
    )
    for case in (*ranks(), *machine(), *hosts()):
        if arguments.only in case.name:
            sys.stdout.write(row(case, arguments.timeout) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
