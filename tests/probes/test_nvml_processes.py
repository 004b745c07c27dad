"""Processes on a GPU, joined with a /proc made of files."""

from __future__ import annotations

import os
from types import ModuleType, SimpleNamespace

import pytest

from gpudoctor.model.facts.gpus import GpuProcess
from gpudoctor.probes._nvml_library import Device, Library
from gpudoctor.probes._nvml_processes import Owners, list_processes
from gpudoctor.probes._stalled import Stalled
from tests.probes.tree import Tree

HOST_NAMESPACE, OTHER_NAMESPACE = "pid:[4026531836]", "pid:[4026532400]"
COMPUTE = "nvmlDeviceGetComputeRunningProcesses"
GRAPHICS = "nvmlDeviceGetGraphicsRunningProcesses"
MPS = "nvmlDeviceGetMPSComputeRunningProcesses"


class Pynvml(ModuleType):
    """As much of nvidia-ml-py as the lists need: what each function returns, or the error it raises."""

    class NVMLError(Exception):
        def __init__(self, value: int) -> None:
            super().__init__(value)
            self.value = value

    def __init__(self, **lists: object) -> None:
        super().__init__("pynvml")
        for name, answer in lists.items():
            setattr(self, name, lambda _handle, answer=answer: self._answer(answer))

    def _answer(self, answer: object) -> object:
        if isinstance(answer, int):
            raise self.NVMLError(answer)
        return answer


def entry(pid: int, used: int | None = 1024) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=used, gpuInstanceId=0xFFFFFFFF)


def device(lists: dict[str, object], stalled: tuple[str, ...] = ()) -> Device:
    answers = {f"{COMPUTE}_v3": [], f"{GRAPHICS}_v3": [], f"{MPS}_v3": [], **lists}
    return Device(Library(Pynvml(**answers), Stalled(stalled)), 0, object())


def process(
    tree: Tree, pid: int | str, *, argv: str = "", comm: str = "python3", state: str = "S", uid: int = 1000
) -> None:
    tree.file(f"/proc/{pid}/comm", f"{comm}\n")
    tree.file(f"/proc/{pid}/cmdline", "\0".join(argv.split()) + "\0" if argv else "")
    tree.file(f"/proc/{pid}/stat", f"{pid} ({comm}) {state} 1 0 0")
    tree.file(f"/proc/{pid}/status", f"Name:\t{comm}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")


def listed(tree: Tree, gpu: Device, namespace: str = HOST_NAMESPACE, uid: int = 1000) -> tuple[GpuProcess, ...]:
    process(tree, "self", uid=uid)
    if not tree.at("/proc/self/ns/pid").is_symlink():
        tree.link("/proc/self/ns/pid", namespace)
    fact = list_processes(gpu, Owners(tree.host(), gpu.library.stalled))
    assert fact.known, fact.why()
    return fact.or_none() or ()


def test_a_process_has_its_program_owner_state_and_memory(tree: Tree) -> None:
    process(tree, 4100, argv="/opt/venv/bin/python3 serve.py --token secret", state="R")
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(4100, 5 << 30)]}))
    assert (found.pid, found.kind, found.used_bytes.value) == (4100, "compute", 5 << 30)
    assert (found.name.value, found.owner.value, found.state.value) == ("python3", "self", "R")
    assert found.visible.value is True
    assert found.ancestor_of_us.value is False


def test_a_title_that_a_program_gave_itself_is_its_name(tree: Tree) -> None:
    tree.file("/proc/7/cmdline", "VLLM::Worker_TP0 --model /home/someone/model")
    tree.file("/proc/7/stat", "7 (VLLM::Worker) S 1")
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}))
    assert found.name.value == "VLLM::Worker_TP0"


@pytest.mark.parametrize(
    ("uid", "own", "owner"), [(0, 1000, "root"), (1001, 1000, "other"), (1000, 1000, "self"), (0, 0, "self")]
)
def test_an_owner_is_a_relation_never_a_name(tree: Tree, uid: int, own: int, owner: str) -> None:
    process(tree, 7, uid=uid)
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}), uid=own)
    assert found.owner.value == owner


def test_a_zombie_is_seen_and_named(tree: Tree) -> None:
    process(tree, 7, comm="ray::Wor ker)", state="Z")
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}))
    assert (found.state.value, found.name.value, found.visible.value) == ("Z", "ray::Wor ker)", True)


def test_memory_of_a_process_that_has_ended_is_said_to_be_left_behind(tree: Tree) -> None:
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}))
    assert (found.state.value, found.visible.value) == ("gone", False)
    assert found.name.absent == found.owner.absent == "not_applicable"


def test_in_a_pid_namespace_of_its_own_an_unknown_pid_is_not_called_gone(tree: Tree) -> None:
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}), OTHER_NAMESPACE)
    assert found.visible.value is False
    assert found.state.absent == "not_supported"


def test_in_a_pid_namespace_of_its_own_a_stranger_with_the_same_number_is_not_blamed(tree: Tree) -> None:
    process(tree, 7, argv="nginx")
    tree.file("/proc/7/maps", "7f00-7f01 r-xp 0 00:00 0 /usr/sbin/nginx\n")
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}), OTHER_NAMESPACE)
    assert found.visible.value is False
    assert not found.name.known


def test_in_a_pid_namespace_of_its_own_a_process_that_uses_the_driver_is_taken(tree: Tree) -> None:
    process(tree, 7, argv="python3")
    tree.file("/proc/7/maps", "7f00-7f01 r-xp 0 00:00 0 /usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05\n")
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)]}), OTHER_NAMESPACE)
    assert (found.visible.value, found.name.value) == (True, "python3")


def test_a_process_on_several_lists_is_listed_once_by_the_first(tree: Tree) -> None:
    gpu = device({f"{COMPUTE}_v3": [entry(7)], f"{GRAPHICS}_v3": [entry(7), entry(8)], f"{MPS}_v3": [entry(9)]})
    assert [(found.pid, found.kind) for found in listed(tree, gpu)] == [(7, "compute"), (8, "graphics"), (9, "mps")]


@pytest.mark.parametrize("used", [None, 0xFFFFFFFFFFFFFFFF])
def test_memory_that_the_driver_does_not_tell_is_absent_not_zero(tree: Tree, used: int | None) -> None:
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7, used)]}))
    assert found.used_bytes.absent == "not_supported"


def test_one_list_that_fails_costs_only_itself(tree: Tree) -> None:
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(7)], f"{GRAPHICS}_v3": 3, f"{MPS}_v3": 999}))
    assert found.pid == 7


def test_an_old_driver_is_asked_in_the_old_way(tree: Tree) -> None:
    (found,) = listed(tree, device({f"{COMPUTE}_v3": 13, f"{COMPUTE}_v2": [entry(7)]}))
    assert found.pid == 7


def test_without_any_list_the_fact_is_absent_for_the_first_reason(tree: Tree) -> None:
    gpu = device({f"{COMPUTE}_v3": 4, f"{GRAPHICS}_v3": 3, f"{MPS}_v3": 3})
    fact = list_processes(gpu, Owners(tree.host(), Stalled(())))
    assert fact.absent == "no_permission"


def test_a_file_of_a_process_that_hung_is_left_out(tree: Tree) -> None:
    process(tree, 7, argv="/bin/stuck", comm="comm")
    gpu = device({f"{COMPUTE}_v3": [entry(7)]}, ("read /proc/7/cmdline",))
    (found,) = listed(tree, gpu)
    assert found.name.value == "comm"


def test_our_own_parents_are_known_to_be_ours(tree: Tree) -> None:
    own, parent = os.getpid(), os.getppid()
    process(tree, parent)
    tree.file(f"/proc/{own}/stat", f"{own} (pytest) R {parent} 0")
    (found,) = listed(tree, device({f"{COMPUTE}_v3": [entry(parent)]}))
    assert found.ancestor_of_us.value is True


@pytest.mark.parametrize("garbage", [[SimpleNamespace(pid="7")], [None], ["x"], None, 5.0])
def test_entries_without_a_pid_are_passed_over(tree: Tree, garbage: object) -> None:
    assert listed(tree, device({f"{COMPUTE}_v3": garbage})) == ()
