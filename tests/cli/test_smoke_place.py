"""A rank's place by what torchrun, srun and mpirun put into the environment; names as these launchers set them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from gpudoctor.cli.nccl_test.place import joined_member
from gpudoctor.errors import UsageError
from gpudoctor.smoke.plan import Member
from tests.smoke.runs import command, environment, needs_torch, python_with_torch

MPIRUN = shutil.which(os.environ.get("GPUDOCTOR_TEST_MPIRUN", "mpirun"))
TORCH = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
# Seen with Open MPI 5.0 and MPICH 5.0.
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "5",
    "OMPI_COMM_WORLD_SIZE": "8",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
    "PMIX_RANK": "5",
}
MPICH = {"PMI_RANK": "5", "PMI_SIZE": "8", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "4"}
# Seen with Slurm 22.05 on one node; the lists of several nodes are as srun(1) documents them.
SLURM = {
    "SLURM_PROCID": "5",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
    "SLURM_STEP_NODELIST": "gpu[07-08,11]",
}


@pytest.mark.parametrize("env", [TORCH, OPEN_MPI, MPICH, SLURM], ids=["torchrun", "open mpi", "mpich", "slurm"])
def test_each_launcher_is_understood(env: dict[str, str]) -> None:
    member = joined_member({**env, "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "1234"}, None)
    assert member == Member(5, 1, 8, 4, "10.0.0.1", 1234)


def test_mpirun_inside_a_slurm_job_counts_more_than_the_jobs_own_step() -> None:
    batch = {"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_LOCALID": "0"}
    assert joined_member({**batch, **OPEN_MPI, "MASTER_ADDR": "a"}, None).rank == 5


def test_pmi_without_local_ranks_is_slurms_own() -> None:
    env = {**SLURM, "PMI_RANK": "5", "PMI_SIZE": "8"}
    assert joined_member(env, None).local_rank == 1


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu[07-08,11]", "gpu07"),
        ("node3", "node3"),
        ("a,b[1-2]", "a"),
        ("rack1-gpu[1,3]", "rack1-gpu1"),
    ],
)
def test_rank_0_of_slurm_is_on_the_first_node_of_the_step(nodes: str, first: str) -> None:
    assert joined_member({**SLURM, "SLURM_STEP_NODELIST": nodes}, None).address == first


@pytest.mark.parametrize(("node", "here"), [("0", 2), ("2", 2), ("3", 1)])
def test_slurms_tasks_per_node_are_those_of_this_node(node: str, here: int) -> None:
    env = {**SLURM, "SLURM_NODEID": node, "SLURM_STEP_TASKS_PER_NODE": "2(x3),1", "MASTER_ADDR": "a"}
    assert joined_member(env, None).local_world_size == here


def test_without_a_count_a_host_has_as_many_ranks_as_ours_shows_and_none_is_refused_for_it() -> None:
    env = {"RANK": "9", "WORLD_SIZE": "16", "LOCAL_RANK": "1", "MASTER_ADDR": "a"}
    assert joined_member(env, None).local_world_size == 2


def test_one_host_needs_no_address() -> None:
    env = {**OPEN_MPI, "OMPI_COMM_WORLD_LOCAL_SIZE": "8"}
    assert (joined_member(env, None).address, joined_member(env, 77).port) == ("127.0.0.1", 77)


@pytest.mark.parametrize("env", [OPEN_MPI, TORCH], ids=["open mpi", "by hand"])
def test_several_hosts_without_an_address_are_refused_with_what_to_set(env: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="MASTER_ADDR"):
        joined_member(env, None)


@pytest.mark.parametrize("env", [{}, {"RANK": "x", "WORLD_SIZE": "2"}, {"RANK": "1" * 5000, "WORLD_SIZE": "2"}])
def test_nothing_understandable_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--worker"):
        joined_member(env, None)


@needs_torch
@pytest.mark.skipif(MPIRUN is None, reason="no mpirun; GPUDOCTOR_TEST_MPIRUN may name one")
def test_a_real_mpirun_starts_the_ranks() -> None:
    argv = command("--worker", "--max-bytes", "4K", "--python", python_with_torch() or "")
    done = subprocess.run(
        [MPIRUN or "", "-np", "2", *argv],
        env=environment(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1"),
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert '"verdict": "pass"' in done.stdout
    assert '"world_size": 2' in done.stdout
