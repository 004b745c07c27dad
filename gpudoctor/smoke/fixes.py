"""What to do about a cause that the smoke run has shown, on this machine."""

from __future__ import annotations

import shlex

from gpudoctor.model.finding import Fix
from gpudoctor.smoke.plan import Plan


def fixes_for(key: str, plan: Plan) -> tuple[Fix, ...]:
    """Of a cause, or of what a `Meaning` names. Best first; none where only the evidence can tell what to do."""
    make = _FIXES.get(key)
    return make(plan) if make is not None else ()


def _port(plan: Plan) -> tuple[Fix, ...]:
    port = plan.members[0].port
    return (
        Fix("See who listens on the port", f"ss -ltnp 'sport = :{port}'", caveat="as root it names the process"),
        Fix("Let the run take a free port", env={"MASTER_PORT": "0"}, caveat="0 only with torchrun; else name one")
        if plan.joined
        else Fix("Start the run with another port, and free the old one", env={"MASTER_PORT": str(port + 1)}),
    )


def _interface(plan: Plan) -> tuple[Fix, ...]:
    named = [
        name for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME", "TP_SOCKET_IFNAME") if plan.environ.get(name)
    ]
    see = Fix("See which interfaces there are", "ip -brief address")
    if not named:
        return (see,)
    settings = ", ".join(f"{name}={plan.environ[name]}" for name in named)
    return (Fix(f"Take away or correct {settings}", f"unset {' '.join(named)}"), see)


def _torch(plan: Plan) -> tuple[Fix, ...]:
    python = shlex.quote(plan.python)
    return (
        Fix("Name the interpreter that the run uses", "gpudoctor nccl-test --python PATH_TO_PYTHON"),
        Fix(
            "Repair torch in this interpreter",
            f"{python} -m pip install --force-reinstall torch",
            caveat="may change the versions that a framework has pinned",
            undo="install the version that was there before",
        ),
    )


def _shm(_plan: Plan) -> tuple[Fix, ...]:
    return (
        Fix(
            "In Docker: give the container more shared memory",
            "docker run --shm-size=16g ...",
            caveat="a new container",
        ),
        Fix(
            "On the host: enlarge the mount",
            "sudo mount -o remount,size=16G /dev/shm",
            undo="the old size is back after a reboot",
            needs="root",
        ),
        Fix("See what fills it", "ls -lS /dev/shm | head", caveat="remove only what no running job uses"),
    )


def _ram(_plan: Plan) -> tuple[Fix, ...]:
    return (
        Fix("See the limit and what is in use", "free -h; ulimit -v; cat /sys/fs/cgroup/memory.max"),
        Fix("Raise the limit of the container or job, or free memory", caveat="docker run --memory, Slurm --mem"),
    )


def _limits(_plan: Plan) -> tuple[Fix, ...]:
    return (
        Fix(
            "Lift the limits of this shell as far as it may",
            'ulimit -n "$(ulimit -Hn)"; ulimit -f "$(ulimit -Hf)"; ulimit -a',
            caveat="docker: --ulimit nofile=65536; Slurm: --propagate=NONE; systemd: LimitNOFILE=",
        ),
    )


def _fewer(plan: Plan) -> tuple[Fix, ...]:
    return (
        Fix(
            "See which GPUs torch can use",
            f"{shlex.quote(plan.python)} -c 'import torch; print(torch.cuda.device_count())'",
        ),
        Fix("Use a TP size of at most that number, or make more GPUs visible (CUDA_VISIBLE_DEVICES)"),
    )


def _desync(_plan: Plan) -> tuple[Fix, ...]:
    return (
        Fix(
            "Find out what ended or stopped the rank",
            "dmesg --ctime | grep -iE 'oom|killed process|Xid' | tail",
            caveat="may need root",
        ),
    )


def _rendezvous(plan: Plan) -> tuple[Fix, ...]:
    one = plan.members[0]
    return (
        Fix(
            "Try to reach the master from each node",
            f"timeout 5 bash -c '</dev/tcp/{one.address}/{one.port}' && echo reached",
            caveat="while rank 0 waits there",
        ),
        Fix("Open the port in the firewall, correct MASTER_ADDR, start every rank"),
    )


def _launch(_plan: Plan) -> tuple[Fix, ...]:
    return (Fix("Start exactly as many processes as WORLD_SIZE says, each with the same WORLD_SIZE and options"),)


def _p2p(plan: Plan) -> tuple[Fix, ...]:
    devices = f" --devices {plan.devices}" if plan.devices else ""
    size = plan.members[0].world_size
    return (
        Fix(
            "Test, not cure: the same run without peer-to-peer",
            f"NCCL_P2P_DISABLE=1 gpudoctor nccl-test --tp {size}{devices}",
            caveat="if it passes, peer-to-peer is what fails; leaving it off costs bandwidth",
        ),
        Fix("Look for ACS, a translating IOMMU and BAR trouble on the path", "gpudoctor check"),
    )


def _far(_plan: Plan) -> tuple[Fix, ...]:
    return (
        Fix(
            "Keep each tensor-parallel group inside one host",
            "vllm serve MODEL --tensor-parallel-size GPUS_PER_HOST --pipeline-parallel-size HOSTS",
            caveat="other engines have options of the same meaning",
        ),
    )


_FIXES = {
    "far": _far,
    "port": _port,
    "network_interface": _interface,
    "framework_env": _torch,
    "nccl_version_mismatch": _torch,
    "shm_too_small": _shm,
    "host_ram": _ram,
    "limits": _limits,
    "tp_exceeds_gpus": _fewer,
    "collective_desync": _desync,
    "rendezvous": _rendezvous,
    "launch_mismatch": _launch,
    "node_mismatch": _launch,
    "p2p_broken": _p2p,
}
