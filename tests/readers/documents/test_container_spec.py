"""Compose files and manifests."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.container_spec import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_a_compose_file() -> None:
    facts = read(sample("container_spec"), DOCUMENT)
    workload = facts.workload
    assert (workload.framework.value, workload.tp.value, workload.container_gpus.value) == ("vllm", 2, "2")
    assert workload.container_shm_bytes.value == 64 << 20
    assert facts.environment.variables.value == {"NCCL_P2P_DISABLE": "1", "CUDA_VISIBLE_DEVICES": "0,1"}
    assert facts.virtualization.container.value == "docker"
    assert not workload.command.known  # nobody typed it


def test_a_manifest() -> None:
    facts = read(sample("container_spec.kubernetes"), DOCUMENT)
    workload = facts.workload
    assert (workload.framework.value, workload.tp.value, workload.container_gpus.value) == ("vllm", 8, "8")
    assert workload.container_shm_bytes.value == 2 << 30
    assert facts.virtualization.container.value == "kubernetes"
    assert facts.environment.variables.value == {"NCCL_DEBUG": "INFO"}


def test_a_manifest_without_a_volume_has_the_runtimes_shm() -> None:
    lines = sample("container_spec.kubernetes")
    lines = [line for line in lines if "/dev/shm" not in line]
    assert read(lines, DOCUMENT).workload.container_shm_bytes.value == 64 << 20


def test_a_volume_in_memory_without_a_limit_is_no_known_size() -> None:
    lines = [line for line in sample("container_spec.kubernetes") if "sizeLimit" not in line]
    assert not read(lines, DOCUMENT).workload.container_shm_bytes.known


def test_options_of_compose() -> None:
    text = (
        "    image: vllm/vllm-openai:v0.6.3\n    shm_size: '16gb'\n    ipc: host\n"
        "    command: ['--model', 'm', '--tensor-parallel-size', '4']\n"
        "    deploy:\n      resources:\n        reservations:\n          devices:\n"
        "            - driver: nvidia\n              device_ids: ['0', '3']\n              capabilities: [gpu]\n"
    )
    workload = read(text, DOCUMENT).workload
    assert (workload.tp.value, workload.container_ipc.value) == (4, "host")
    assert (workload.container_shm_bytes.value, workload.container_gpus.value) == (16 << 30, "device=0,3")


def test_an_image_in_a_note_is_no_specification() -> None:
    assert read("image: nvidia/cuda:10.1-devel-ubuntu18.04\nlibnccl2=2.7.3-1+cuda10.1\n", DOCUMENT) == Facts()


def test_a_cut_file() -> None:
    facts = read(sample("container_spec")[2:8], DOCUMENT)
    assert facts.environment.variables.value == {"NCCL_P2P_DISABLE": "1", "CUDA_VISIBLE_DEVICES": "0,1"}


def test_a_snippet_denies_nothing() -> None:
    text = "    image: vllm/vllm-openai:v0.6.3\n    command: --model m --tensor-parallel-size 4\n"
    workload = read(text, DOCUMENT).workload
    assert workload.tp.value == 4
    assert not workload.container.known  # so that nobody misses its GPUs
    assert not workload.container_shm_bytes.known


def test_variables_alone() -> None:
    facts = read('        env:\n        - name: NCCL_P2P_DISABLE\n          value: "1"\n', DOCUMENT)
    assert facts.environment.variables.value == {"NCCL_P2P_DISABLE": "1"}
    assert not facts.workload.container.known
    assert not facts.virtualization.container.known


def test_a_volume_alone() -> None:
    text = (
        "volumeMounts:\n  - name: shm\n    mountPath: /dev/shm\nvolumes:\n    - name: shm\n      emptyDir:\n"
        "        medium: Memory\n        sizeLimit: 20Gi\n"
    )
    assert read(text, DOCUMENT).workload.container_shm_bytes.value == 20 << 30


def test_a_whole_file_that_asks_for_no_gpu() -> None:
    lines = [line for line in sample("container_spec") if "nvidia" not in line and "count" not in line]
    workload = read(lines, DOCUMENT).workload
    assert workload.container.value == "vllm/vllm-openai:latest"
    assert not workload.container_gpus.known
