"""Launch commands in pastes."""

from __future__ import annotations

import pytest

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.launch_command import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_docker_run_over_several_lines() -> None:
    facts = read(sample("launch_command"), DOCUMENT)
    workload = facts.workload
    assert (workload.framework.value, workload.tp.value, workload.container_gpus.value) == ("vllm", 4, "all")
    assert workload.container_shm_bytes.value == 64 << 20
    assert facts.environment.launch.value == {"NCCL_DEBUG": "INFO"}


def test_the_last_line_may_begin_anywhere() -> None:
    text = "mpirun -np 4 \\\n  -x NCCL_DEBUG=INFO \\\n/opt/nccl-tests/build/all_reduce_perf -b 8 -g 1\n"
    for written in (text, text.replace("\n/opt", "\n  /opt")):
        (whole,) = found(written.splitlines(), DOCUMENT)
        assert len(whole.lines) == 3
        assert str(read(written, DOCUMENT).workload.command.value).startswith("mpirun -np 4 ")


def test_a_prompt_with_the_time_and_a_path_in_front_of_the_launcher() -> None:
    text = "[10:12:46](root):~ # /opt/ompi/bin/mpirun -np 2 -host a,b -pernode \\\n/x/all_reduce_perf -b 8 -g 1\n"
    workload = read(text, DOCUMENT).workload
    assert (workload.nodes.value, workload.processes_per_node.value) == (2, 1)
    assert str(workload.command.value).startswith("/opt/ompi/bin/mpirun -np 2 -host a,b -pernode ")


@pytest.mark.parametrize(
    ("text", "framework"),
    [
        ("$ CUDA_VISIBLE_DEVICES=0,1 vllm serve m --tensor-parallel-size 2", "vllm"),
        ("(venv) me@host:~/x$ python -m sglang.launch_server --model m --tp 2", "sglang"),
        ("[me@host x]$ torchrun --nproc_per_node 8 train.py", "torchrun"),
        ("accelerate launch --num_processes 4 train.py", "accelerate"),
        ("NCCL_DEBUG=TRACE ./build/all_reduce_perf -b 8 -e 1G -g 4", "nccl-tests"),
        ("deepspeed --num_gpus 8 train.py", "deepspeed"),
    ],
)
def test_prompts_and_programs(text: str, framework: str) -> None:
    assert read(text, DOCUMENT).workload.framework.value == framework


@pytest.mark.parametrize(
    "line",
    [
        "deepspeed                    0.12.6",
        "torchrun failed on node 3",
        "python train.py",
        "docker run says no space",
        "we use vllm serve in production",
        '  File "/opt/vllm/launch.py", line 3',
        "srun: error: node7: task 3: Killed",
    ],
)
def test_sentences_are_no_commands(line: str) -> None:
    assert all(DOCUMENT.read(block.lines) == Facts() for block in found([line], DOCUMENT))


def test_settings_without_a_program_are_given_up_at_once() -> None:
    assert not found([" ".join(['NCCL_DEBUG="INFO"'] * 24) + " nothing"], DOCUMENT)


def test_an_unclosed_quote_is_no_command() -> None:
    assert read("vllm serve 'm --tensor-parallel-size 2", DOCUMENT) == Facts()


def test_the_first_command_with_a_framework_counts() -> None:
    text = "docker run --gpus all ubuntu ls\n  vllm serve m -tp 2\n"
    assert read(text, DOCUMENT).workload.framework.value == "vllm"


def test_a_script_of_ones_own_tells_its_settings() -> None:
    facts = read("$ CUDA_VISIBLE_DEVICES=0,1 python main.py -a resnet50", DOCUMENT)
    assert facts.environment.launch.value == {"CUDA_VISIBLE_DEVICES": "0,1"}
    assert facts.workload == Facts().workload
