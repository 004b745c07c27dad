"""Our rank's place in a run that torchrun, srun or mpirun has started, by what that puts into the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from gpudoctor.errors import UsageError
from gpudoctor.smoke.plan import Member
from gpudoctor.smoke.port import LOCALHOST

_DEFAULT_PORT = 29500  # torch's own
_MOST_DIGITS = 9
_HEAD_OF_LIST = re.compile(r"(?P<stem>[\w.-]*)\[(?P<first>\d+)")  # node[01-04,07]: the first is node01
_TASKS = re.compile(r"(\d+)(?:\(x(\d+)\))?")


class _Names(NamedTuple):
    """The variables of one launcher. `local_world` is "" where none says it plainly."""

    rank: str
    world: str
    local_rank: str
    local_world: str


# In this order: mpirun inside a Slurm job leaves Slurm's variables of another step standing.
_TORCH = _Names("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_SLURM = _Names("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "")
_LAUNCHERS = (
    _Names("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    _Names("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_SIZE"),
    _Names("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),  # MPICH and its kin
    _SLURM,
)


def joined_member(environ: Mapping[str, str], master_port: int | None) -> Member:
    """The place of this process.

    Raises:
        UsageError: no launcher has started it, or nothing says where rank 0 is.
    """
    names = _launcher(environ)
    rank, world = int(environ[names.rank]), int(environ[names.world])
    local_rank = _number(environ.get(names.local_rank, ""), rank)
    local_world = _local_world(environ, names, world, local_rank)
    return Member(
        rank=rank,
        local_rank=local_rank,
        world_size=world,
        local_world_size=local_world,
        address=_address(environ, names, alone=local_world >= world),
        port=master_port or _number(environ.get("MASTER_PORT", ""), _DEFAULT_PORT),
    )


def _launcher(environ: Mapping[str, str]) -> _Names:
    if _given(environ, _TORCH.rank, _TORCH.world):
        return _TORCH
    for names in _LAUNCHERS:
        if _given(environ, names.rank, names.world, names.local_rank):
            return names
    raise UsageError(
        "--worker is for a rank that torchrun, srun or mpirun has started: RANK and WORLD_SIZE are not set",
        "start the ranks here with `gpudoctor nccl-test --tp 2`",
    )


def _given(environ: Mapping[str, str], *names: str) -> bool:
    return all(_is_number(environ.get(name, "")) for name in names)


def _local_world(environ: Mapping[str, str], names: _Names, world: int, local_rank: int) -> int:
    """Ranks on this host; where nothing says so, at least as many as our own number shows."""
    if names is _SLURM:
        return _tasks_here(environ) or local_rank + 1
    otherwise = world if names is _TORCH and _TORCH.local_rank not in environ else local_rank + 1
    return _number(environ.get(names.local_world, ""), otherwise)


def _tasks_here(environ: Mapping[str, str]) -> int:
    """Slurm's `2(x3),1` is 2, 2, 2, 1 tasks; which of them is ours is the number of this node. 0 where it is unsaid."""
    text = environ.get("SLURM_STEP_TASKS_PER_NODE") or environ.get("SLURM_TASKS_PER_NODE", "")
    node = _number(environ.get("SLURM_NODEID", ""), 0)
    for tasks, times in _TASKS.findall(text[:10_000]):
        node -= int(times or 1)
        if node < 0:
            return int(tasks)
    return 0


def _address(environ: Mapping[str, str], names: _Names, *, alone: bool) -> str:
    """Where rank 0 is."""
    if environ.get("MASTER_ADDR"):
        return environ["MASTER_ADDR"]
    if alone:
        return LOCALHOST
    if names is _SLURM:
        nodes = environ.get("SLURM_STEP_NODELIST") or environ.get("SLURM_NODELIST", "")
        first = _first_node(nodes)
        if first:
            return first
    raise UsageError(
        "nothing says where rank 0 is: MASTER_ADDR is not set, and the ranks are on several hosts",
        "set it on every host, for example `mpirun -x MASTER_ADDR=FIRST_HOST ...`",
    )


def _first_node(nodes: str) -> str:
    match = _HEAD_OF_LIST.match(nodes)
    return match["stem"] + match["first"] if match else nodes.partition(",")[0]


def _number(text: str, otherwise: int) -> int:
    return int(text) if _is_number(text) else otherwise


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS
