"""Which settings are tried for which cause, and what they decide: `python -m tests.smoke.decision_table` runs it all.

Every row is a run of real processes on the GPUs of a machine file (`standin/README.md`); none was seen on real GPUs.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.smoke.runs import Run
from tests.smoke.simulated import simulate

SHM_FULL = "misc/shmutils.cc:88 Error: failed to extend /dev/shm/nccl-Xb1f to 9637892 bytes, error: No space left (28)"
REFUSED = "init.cc:512 Cuda failure 801 'operation not supported'"
NVLS_BIND = (
    "transport/nvls.cc:244 Failed to bind NVLink SHARP (NVLS) Multicast memory of size 2097152 : CUDA error 801. This "
    "is usually caused by a system or configuration error in the Fabric Manager or NVSwitches."
)
QUEUE_PAIR = "misc/ibvwrap.cc:205 Call to ibv_create_qp failed with error Cannot allocate memory"
NO_ANSWER = "misc/ibvwrap.cc:241 Call to ibv_modify_qp failed with error 110 Connection timed out"
TWICE = "init.cc:1041 Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1000"
AGAIN = "again"


@dataclass(frozen=True)
class Case:
    """A cause that is made up, and what must come of it. `tried` are the launches after the first, in order."""

    name: str
    cause: str
    verdict: str
    tried: tuple[str, ...] = ()
    names: str = ""  # part of the finding's subject or title: the pair or GPU that it names
    ranks: int = 2
    host: str = ""
    spec: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    exit_code: int = 1

    def row(self) -> str:
        """A line of the table in docs/nccl-test.md."""
        tried = ", ".join(self.tried) or "nothing"
        verdict = self.verdict.replace("_", " ")
        cause = f"`{self.cause}`" if self.cause else "-"
        cause += f" ({self.names})" if self.names else ""
        return f"| {self.name} | {self.ranks} | {tried} | {verdict} | {cause} | {1 + len(self.tried)} |"


def fault(where: str, what: str = "hang", **more: Any) -> dict[str, Any]:
    """A machine file with one fault."""
    return {"faults": [{"where": where, "what": what, **more}]}


P2P = ("control", "cuMem off", "P2P off")
PIX4: dict[str, Any] = {"gpus": 4, "link": "PIX"}
SLOW4: dict[str, Any] = {"gpus": 4, "link": "PIX", "cpu": "intel"}
ALONE = tuple(f"GPU of rank {rank} alone" for rank in range(4))

CASES = (
    Case("nothing", "", "pass", exit_code=0),
    Case("nothing, NVLink", "", "pass", host="rtx3090x2-nvlink", spec={"link": "NV4", "bandwidth": {"P2P": 42.0}},
         exit_code=0),
    Case("P2P hangs", "p2p_broken", "hang", P2P, "0-1", spec=fault("p2p")),
    Case("P2P hangs, NCCL 2.17 (CUDA IPC)", "p2p_broken", "hang", ("control", "P2P off", AGAIN), "0-1",
         spec={"nccl": "2.17.1", **fault("p2p")}),
    Case("P2P hangs, ACS redirects into a translating IOMMU", "iommu_acs", "hang", P2P, "0-1",
         host="rtx4090x4-p2p-patched-acs", spec={"gpus": 4, "link": "PIX", **fault("p2p")}),
    Case("P2P gives wrong data over an NVLink bridge", "nvlink_fault", "wrong_data", P2P, "0-1",
         host="rtx3090x2-nvlink", spec={"link": "NV4", **fault("p2p", "wrong")}),
    Case("P2P gives wrong data for one pair", "p2p_broken", "wrong_data", P2P, "1-2", 4,
         spec={**PIX4, **fault("p2p", "wrong", pairs=["1-2"])}),
    Case("P2P hangs for one pair", "p2p_broken", "hang", (*P2P, "pairs", "pairs"), "1-2", 4,
         spec={**PIX4, **fault("p2p", pairs=["1-2"])}),
    Case("P2P is broken for one pair, the group of four uses SHM", "p2p_broken", "pass", P2P, "1-2", 4,
         spec={"gpus": 4, **fault("p2p", "wrong", pairs=["1-2"])}, exit_code=0),
    Case("P2P is broken, NCCL uses SHM (Intel board)", "p2p_broken", "pass", (), "0-1",
         spec={"cpu": "intel", **fault("p2p", "wrong")}, exit_code=0),
    Case("P2P hangs, NCCL 2.31", "p2p_broken", "hang", ("NCCL's diagnostics", "control", "P2P off"), "0-1",
         spec={"nccl": "2.31.2", **fault("p2p")}),
    Case("cuMem is refused, NCCL 2.31", "nccl_setting", "crash", ("NCCL's diagnostics", "control", "cuMem off"),
         spec={"nccl": "2.31.2", **fault("cumem", "error", stage="connect", warn=REFUSED, result=1)}),
    Case("cuMem is refused", "nccl_setting", "crash", ("control", "cuMem off", AGAIN),
         spec=fault("cumem", "error", stage="connect", warn=REFUSED, result=1)),
    Case("cuMem hangs", "nccl_setting", "hang", ("control", "cuMem off", AGAIN), spec=fault("cumem", stage="connect")),
    Case("cuMem for host memory fails", "nccl_setting", "crash", ("control", "cuMem for host memory off", AGAIN),
         spec={"peer": False, **fault("cumem_host", "error", stage="connect", warn=REFUSED, result=1)}),
    Case("/dev/shm is full", "shm_too_small", "crash", ("control", "SHM off", AGAIN),
         spec={"peer": False, **fault("shm", "error", stage="connect", warn=SHM_FULL)}),
    Case("NVLS cannot be bound", "nccl_setting", "crash", ("control", "NVLS off", AGAIN), "", 4,
         spec={"gpus": 4, "link": "NV18", "nvswitch": True,
               **fault("nvls", "error", stage="connect", warn=NVLS_BIND, result=1)}),
    Case("InfiniBand: too little locked memory", "memlock", "crash", ("control", "InfiniBand off", AGAIN),
         spec={"infiniband": ["mlx5_0"], **fault("ib", "error", stage="bootstrap", warn=QUEUE_PAIR)}),
    Case("InfiniBand: no answer", "rdma", "crash", ("control", "InfiniBand off", AGAIN),
         spec={"infiniband": ["mlx5_0"], **fault("ib", "error", stage="bootstrap", warn=NO_ANSWER)}),
    Case("the interface leads nowhere", "network_interface", "hang", ("control", "interface lo", AGAIN), "eth0",
         spec=fault("interface", name="eth0", stage="bootstrap")),
    Case("NCCL_SOCKET_IFNAME of the user", "network_interface", "crash", ("control", "own settings off", AGAIN),
         env={"NCCL_SOCKET_IFNAME": "eno1"}),
    Case("NCCL_PROTO=LL128 of the user, one of two variables", "nccl_setting", "wrong_data",
         ("control", "own settings off", AGAIN, "without NCCL_BUFFSIZE", "without NCCL_PROTO"), "NCCL_PROTO",
         env={"NCCL_PROTO": "LL128", "NCCL_BUFFSIZE": "8388608"},
         spec=fault("setting", "wrong", name="NCCL_PROTO=LL128")),
    Case("one GPU gives wrong data", "gpu_fault", "wrong_data", ("control", *ALONE), "GPU 2", 4,
         spec={"gpus": 4, **fault("gpu", "wrong", gpus=[2])}),
    Case("one GPU does not start", "gpu_fault", "hang", ALONE[:3], "", 3,
         spec={"gpus": 3, **fault("gpu", gpus=[1], stage="start")}),
    Case("one slow pair", "slow_interconnect", "slow", (), "1-2", 4, host="l40sx4-two-sockets",
         spec={**SLOW4, "pair_bandwidth": {"1-2 P2P": 3.0}}, exit_code=0),
    Case("one slow GPU", "slow_interconnect", "slow", (), "GPU 3", 4, host="a100x8-nvswitch",
         spec={"gpus": 8, "link": "NV12", "bandwidth": {"P2P": 235.0},
               "pair_bandwidth": {f"{gpu}-3 P2P": 60.0 for gpu in range(3)}}, exit_code=0),
    Case("a slow link", "slow_interconnect", "slow", host="rtx3090x2-nvlink",
         spec={"link": "NV4", "bandwidth": {"P2P": 9.0}}, exit_code=0),
    Case("two ranks on one GPU", "duplicate_gpu", "crash",
         spec=fault("all", "error", stage="bootstrap", warn=TWICE, result=5)),
    Case("everything fails, whatever the settings", "p2p_broken", "inconclusive", ("control", *ALONE[:2]),
         spec=fault("all", "wrong"), exit_code=3),
    Case("it fails once", "p2p_broken", "wrong_data", ("control", "cuMem off", AGAIN),
         spec=fault("p2p", "wrong", times=1)),
)  # fmt: skip


def run_case(case: Case, folder: Path) -> Run:
    """Launch it for real."""
    options = ("--tp", str(case.ranks), *case.options)
    return simulate(folder, case.spec, *options, host=case.host, env=case.env)


def tried(run: Run) -> tuple[str, ...]:
    """The names of the launches after the first."""
    return tuple(trial["name"] for trial in run.smoke["trials"][1:])


def table() -> str:
    """As it stands in docs/nccl-test.md."""
    head = "| made-up cause | ranks | tried after the first launch, in order | verdict | cause | launches |"
    return "\n".join((head, "|---|---|---|---|---|---|", *(case.row() for case in CASES)))


def main() -> int:
    """Run every case and say where it differs from the table."""
    different = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            run = run_case(case, Path(folder))
        seen = (run.smoke["verdict"], tried(run), [finding["cause"] for finding in run.report["findings"]][:1])
        wanted = (case.verdict, case.tried, [case.cause] if case.cause else seen[2])
        different += seen != wanted
        mark = "as in the table" if seen == wanted else f"DIFFERS: {seen}"
        seconds = sum(trial["seconds"] for trial in run.smoke["trials"])
        sys.stdout.write(f"{case.row()} {seconds:.1f} s, {mark}\n")
        sys.stdout.flush()
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
