"""The group that the run would use, a better one where there is one, and NCCL's expected transport."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gpudoctor.derive import derive
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, GpuProcess, Group, Virtualization, Workload
from tests.derive.machines import machine

A3090, A4090 = "NVIDIA GeForce RTX 3090", "NVIDIA GeForce RTX 4090"
PAIRS = {(0, 2): "NV4", (1, 3): "NV4", (0, 1): "PHB", (2, 3): "PHB"}


def group(links: dict[tuple[int, int], str], tp: int | None, names: list[str] | None = None, **more: Any) -> Group:
    workload = Workload(tp=known(tp, "option")) if tp else Workload()
    return derive(machine(names or [A3090] * 4, links, workload=workload, **more)).group


def test_two_nvlink_pairs_are_found_when_the_first_two_gpus_are_not_one() -> None:
    found = group(PAIRS, 2)
    assert [gpu.index for gpu in found.gpus.or_none() or ()] == [0, 1]
    assert found.worst_link.or_none() == "PHB"
    assert found.better_gpus.or_none() == (0, 2)
    assert found.better_worst_link.or_none() == "NV4"
    assert found.better_visible_devices.or_none() == "0,2"


def test_the_value_for_the_variable_is_in_cudas_numbers() -> None:
    names = [A3090, A4090, A3090, A4090]
    found = group({(0, 2): "NV4"}, 2, names, cuda_order=[1, 3, 0, 2])
    assert found.better_gpus.absent == "not_applicable" or found.better_gpus.or_none() == (0, 2)
    assert derive(machine(names, {(0, 2): "NV4"}, cuda_order=[1, 3, 0, 2])).visible.order_differs.or_none() is True
    assert found.gpus.or_none() is not None
    assert [gpu.index for gpu in found.gpus.or_none() or ()] == [1, 3]
    assert found.better_visible_devices.or_none() == "2,3"


def test_no_better_group_is_named_where_ours_is_as_good() -> None:
    assert group({}, 2).better_gpus.absent == "not_applicable"
    assert group(PAIRS, 4).better_gpus.absent == "not_applicable"


def test_links_inside_the_tensor_parallel_blocks_count_not_those_between_pipeline_stages() -> None:
    workload = Workload(tp=known(2, "option"), pp=known(2, "option"), gpus_needed=known(4, "option"))
    found = derive(machine([A3090] * 4, {(0, 1): "NV4", (2, 3): "NV4"}, workload=workload)).group
    assert found.worst_link.or_none() == "NV4"
    assert len(found.pairs.or_none() or ()) == 2


def test_the_group_is_what_the_variable_leaves() -> None:
    found = group(PAIRS, 2, variables={"CUDA_VISIBLE_DEVICES": "1,3"})
    assert [gpu.index for gpu in found.gpus.or_none() or ()] == [1, 3]
    assert found.worst_link.or_none() == "NV4"


def test_idle_gpus_that_the_users_list_leaves_out_are_a_choice_too() -> None:
    facts = machine(
        [A3090] * 4, PAIRS, variables={"CUDA_VISIBLE_DEVICES": "0,1"}, workload=Workload(tp=known(2, "option"))
    )
    devices = tuple(
        replace(gpu, processes=known((), "nvml"), memory_used_bytes=known(1 << 20, "nvml"))
        for gpu in facts.nvml.devices.or_none() or ()
    )
    metal = replace(
        facts,
        nvml=replace(facts.nvml, devices=known(devices, "nvml")),
        virtualization=Virtualization(container=known("none", "proc")),
    )
    assert derive(metal).group.better_visible_devices.or_none() == "0,2"
    busy = replace(devices[2], processes=known((GpuProcess(pid=7),), "nvml"))
    taken = replace(metal.nvml, devices=known((*devices[:2], busy, devices[3]), "nvml"))
    assert derive(replace(metal, nvml=taken)).group.better_visible_devices.or_none() == "1,3"
    by_slurm = replace(metal.environment, variables=known({"CUDA_VISIBLE_DEVICES": "0,1", "SLURM_GPUS": "2"}, "e"))
    assert derive(replace(metal, environment=by_slurm)).group.better_gpus.absent == "not_applicable"
    in_container = Virtualization(container=known("docker", "proc"))
    assert derive(replace(metal, virtualization=in_container)).group.better_gpus.absent == "not_applicable"


def test_the_least_free_memory_is_that_of_the_group() -> None:
    assert group(PAIRS, 2).memory_free_min_bytes.or_none() == 22 << 30


@pytest.mark.parametrize(
    ("link", "cpu", "gpus", "status", "variables", "expected"),
    [
        ("NV4", "intel", 2, "OK", {}, "P2P/NVLink"),
        ("PXB", "intel", 2, "OK", {}, "P2P/PCIe"),
        ("PHB", "intel", 2, "OK", {}, "SHM"),
        ("SYS", "amd", 2, "OK", {}, "P2P/PCIe"),
        ("PIX", "amd", 2, "CNS", {}, "SHM"),
        ("PHB", "intel", 2, "OK", {"NCCL_P2P_LEVEL": "SYS"}, "P2P/PCIe"),
        ("PIX", "intel", 2, "OK", {"NCCL_P2P_LEVEL": "NVL"}, "SHM"),
        ("NV4", "intel", 2, "OK", {"NCCL_P2P_DISABLE": "1"}, "SHM"),
        ("NV4", "intel", 2, "OK", {"NCCL_P2P_DISABLE": "1", "NCCL_SHM_DISABLE": "1"}, "NET"),
        ("PHB", "intel", 2, "OK", {"NCCL_P2P_LEVEL": "NODE"}, "SHM"),
        ("SYS", "amd", 4, "OK", {}, None),  # until NCCL 2.22 P2P, SHM from 2.23 on
        ("PXB", "amd", 4, "OK", {}, "P2P/PCIe"),  # whatever the version
        ("NV4", "", 2, "OK", {}, "P2P/NVLink"),  # whatever the CPU
    ],
)
def test_the_transport_follows_nccls_rules(
    link: str, cpu: str, gpus: int, status: str, variables: dict[str, str], expected: str | None
) -> None:
    links = {(a, b): link for a in range(gpus) for b in range(a + 1, gpus)}
    facts: Facts = machine([A3090] * gpus, links, variables=variables, status=status, cpu=cpu)
    assert derive(facts).group.transport.or_none() == expected
