"""Launch commands of every supported program, as people write them."""

from __future__ import annotations

import shlex

import pytest

from gpudoctor.model.facts import Workload
from gpudoctor.workload import CommandError, ParsedCommand, parse
from gpudoctor.workload.words import simple_commands
from tests.workload.commands import ALL, Command


def check(parsed: ParsedCommand, command: Command) -> None:
    got = {name: getattr(parsed.workload, name).or_none() for name in command.expect}
    assert got == command.expect
    if command.env is not None:
        assert dict(parsed.env) == command.env


@pytest.mark.parametrize("command", ALL, ids=[c.text[:60] for c in ALL])
def test_one_string_gives_what_the_command_says(command: Command) -> None:
    check(parse([command.text]), command)


SINGLE = [c for c in ALL if len(simple_commands(c.text)) == 1 and not set("$#&|<>\n") & set(c.text)]


@pytest.mark.parametrize("command", SINGLE, ids=[c.text[:60] for c in SINGLE])
def test_words_of_a_shell_give_the_same_as_the_string(command: Command) -> None:
    check(parse(shlex.split(command.text)), command)


@pytest.mark.parametrize("command", ALL, ids=[c.text[:60] for c in ALL])
def test_the_command_kept_in_the_workload_reads_the_same_again(command: Command) -> None:
    first = parse([command.text]).workload
    kept = first.command.or_none()
    assert kept is not None
    assert parse([kept]).workload == first


def test_there_are_many_commands() -> None:
    assert len(ALL) >= 120


def test_no_command_is_an_empty_workload() -> None:
    assert parse([]) == ParsedCommand()
    assert parse(["  "]).workload == Workload()


def test_what_only_the_run_decides_is_absent_with_the_option_that_says_so() -> None:
    fact = parse(["torchrun --nproc-per-node gpu train.py"]).workload.processes_per_node
    assert fact.absent == "not_provided"
    assert "`--nproc-per-node gpu`" in fact.detail


def test_sources_tell_defaults_from_words_of_the_command() -> None:
    workload = parse(["vllm serve x -tp 2"]).workload
    assert (workload.tp.source, workload.pp.source) == ("launch_command", "default")


def test_fix_flags_are_the_frameworks_spelling() -> None:
    assert parse(["vllm serve x"]).workload.fix_flags.or_none() == {
        "tp": "--tensor-parallel-size",
        "pp": "--pipeline-parallel-size",
        "dp": "--data-parallel-size",
        "ep": "--enable-expert-parallel",
        "model": "--model",
        "nodes": "--nnodes",
        "dtype": "--dtype",
        "quantization": "--quantization",
        "kv_cache_dtype": "--kv-cache-dtype",
        "max_model_len": "--max-model-len",
        "max_num_seqs": "--max-num-seqs",
        "gpu_memory_utilization": "--gpu-memory-utilization",
        "cpu_offload_gib": "--cpu-offload-gb",
        "custom_allreduce_disabled": "--disable-custom-all-reduce",
        "enforce_eager": "--enforce-eager",
        "executor": "--distributed-executor-backend",
        "master_addr": "--master-addr",
        "master_port": "--master-port",
    }


def test_variables_that_are_taken_away_or_passed_on_are_named() -> None:
    parsed = parse(["env -u NCCL_P2P_DISABLE vllm serve x"])
    assert parsed.unset == ("NCCL_P2P_DISABLE",)
    assert parse(["env -i PATH=/bin vllm serve x"]).clean_environment
    assert parse(["docker run -e HF_TOKEN --gpus all vllm/vllm-openai --model x"]).passed == ("HF_TOKEN",)
    assert parse(["CUDA_VISIBLE_DEVICES=$GPUS vllm serve x"]).undecided == ("CUDA_VISIBLE_DEVICES",)


CONTRADICTIONS = [
    ("vllm serve x -tp 2 --tensor-parallel-size 4", ["`-tp 2` and `--tensor-parallel-size 4`"]),
    ("vllm serve x -tp 2 --tensor-parallel-size 2", []),
    ("torchrun --nproc-per-node 2 s.py --tensor-parallel-size 4", ["`--nproc-per-node 2` starts 2", "size 4`"]),
    ("torchrun --nproc-per-node 8 s.py --tensor-parallel-size 4", []),
    ("deepspeed --num_gpus 2 --include localhost:0,1 s.py", ["DeepSpeed refuses"]),
    ("docker run --gpus 2 vllm/vllm-openai --model x -tp 4", ["`--gpus 2` gives the container 2 of the 4"]),
    ("docker run --gpus '\"device=0,1\"' vllm/vllm-openai --model x -tp 2", []),
    ("CUDA_VISIBLE_DEVICES=0,1 vllm serve x -tp 4", ["lists 2 of the 4"]),
    ("CUDA_VISIBLE_DEVICES=0,1,2,3 vllm serve x -tp 4", []),
    ("NCCL_DEBUG=INFO docker run --gpus all vllm/vllm-openai --model x", ["NCCL_DEBUG", "`docker run`"]),
    ("NCCL_DEBUG=INFO docker run -e NCCL_DEBUG --gpus all vllm/vllm-openai --model x", []),
    ("NCCL_DEBUG=INFO sudo vllm serve x", ["NCCL_DEBUG", "`sudo`"]),
    ("text-generation-launcher --model-id x --sharded false --num-shard 2", ["`--num-shard 2`"]),
    ("accelerate launch --gpu_ids 0,1 --num_processes 4 t.py", ["`--num_processes 4` and `--gpu_ids 0,1`"]),
    ("torchrun --nproc-per-node 2 s.py --world-size 4", ["`--world-size 4`"]),
]


@pytest.mark.parametrize(("text", "parts"), CONTRADICTIONS, ids=[c[0][:60] for c in CONTRADICTIONS])
def test_contradictions_are_one_sentence_each(text: str, parts: list[str]) -> None:
    sentences = parse([text]).workload.contradictions.or_none()
    assert sentences is not None
    assert bool(sentences) == bool(parts)
    for part in parts:
        assert any(part in sentence for sentence in sentences)
    assert all(s.endswith(".") for s in sentences)


WRONG = [
    ("vllm serve x --tensor-parallel-size four", 5, "needs a whole number, not `four`"),
    ("vllm serve x --tensor-parallel-size=four", 4, "needs a whole number, not `four`"),
    ("vllm serve x -tp 0", 5, "at least 1"),
    ("vllm serve x -tp", 4, "needs a value"),
    ("vllm serve x -tp --port 8000", 4, "needs a value"),
    ("vllm serve x --gpu-memory-utilization lots", 5, "needs a number"),
    ("vllm serve x --gpu-memory-utilization nan", 5, "finite"),
    ("vllm serve 'x -tp 2", 3, "single quote"),
    ('vllm serve "x -tp 2', 3, "double quote"),
    ("vllm serve $(cat x -tp 2", 3, "never closed"),
    ("docker run --shm-size big img", 4, "a size such as 16g"),
    ("torchrun --nnodes two t.py", 3, "whole number"),
    ("vllm serve x\x00y", 3, "U+0000"),
    ("vllm serve \x1b[31mx", 3, "U+001B"),
]


@pytest.mark.parametrize(("text", "position", "part"), WRONG, ids=[repr(c[0]) for c in WRONG])
def test_a_wrong_command_names_the_word(text: str, position: int, part: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse([text])
    assert caught.value.position == position
    message = str(caught.value)
    assert message.startswith(f"word {position} of the launch command: ")
    assert part in message
    assert message.isprintable() or message.replace("\n", "").isprintable()


def test_the_caret_stands_below_the_word() -> None:
    with pytest.raises(CommandError) as caught:
        parse(["vllm", "serve", "x", "-tp", "four"])
    _, command, carets = str(caught.value).split("\n")
    assert command[carets.index("^") : carets.rindex("^") + 1] == "four"


def test_the_message_of_a_long_command_stays_short() -> None:
    with pytest.raises(CommandError) as caught:
        parse(["vllm", "serve", *["--served-model-name=" + "m" * 50] * 500, "-tp", "four", *["x"] * 500])
    _, command, carets = str(caught.value).split("\n")
    assert len(command) <= 80
    assert command[carets.index("^") : carets.rindex("^") + 1] == "four"


@pytest.mark.parametrize(
    ("command", "filtered_by", "elsewhere", "passed"),
    [
        ("vllm serve x", "", "", ()),
        ("sudo vllm serve x", "sudo", "", ()),
        ("sudo -E vllm serve x", "", "", ()),
        ("sudo --preserve-env vllm serve x", "", "", ()),
        ("sudo --preserve-env=A,B -u svc vllm serve x", "sudo", "", ("A", "B")),
        ("nohup sudo nice -n 5 vllm serve x", "sudo", "", ()),
        ("sudo bash -c 'vllm serve x'", "sudo", "", ()),
        ("ssh host vllm serve x", "", "ssh", ()),
        ("ssh host 'sudo vllm serve x'", "sudo", "ssh", ()),
        ("kubectl exec -it pod -- vllm serve x", "", "kubectl exec", ()),
        ("docker exec -e A -e B=1 box vllm serve x", "", "docker exec", ("A",)),
        ("docker run -e A vllm/vllm-openai --model x", "", "", ("A",)),
        ("ray job submit --working-dir . -- vllm serve x", "", "ray job submit", ()),
    ],
)
def test_who_decides_over_the_variables_of_the_shell(
    command: str, filtered_by: str, elsewhere: str, passed: tuple[str, ...]
) -> None:
    parsed = parse([command])
    assert (parsed.filtered_by, parsed.elsewhere, parsed.passed) == (filtered_by, elsewhere, passed)


@pytest.mark.parametrize(
    ("options", "way"),
    [
        ("", None),
        ("--runtime=nvidia", "--runtime nvidia"),
        ("--device /dev/nvidia0 --device /dev/nvidiactl", "--device /dev/nvidia0"),
        ("--device /dev/fuse --device /dev/nvidia1", "--device /dev/nvidia1"),
        ("--privileged", "--privileged"),
        ("-e NVIDIA_VISIBLE_DEVICES=0,1", "-e NVIDIA_VISIBLE_DEVICES=0,1"),
        ("-e NVIDIA_VISIBLE_DEVICES", "-e NVIDIA_VISIBLE_DEVICES"),
        ("-v /data/nvidia:/models --name privileged --label runtime=nvidia", None),
    ],
)
def test_by_which_option_a_container_gets_gpus(options: str, way: str | None) -> None:
    workload = parse([f"docker run {options} vllm/vllm-openai --model nvidia/some-model"]).workload
    assert workload.container_gpu_way.or_none() == way
    assert not workload.container_gpus.known


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ("--gpus 1", 1),
        ("--gpus device=0,2", 2),
        ("--gpus all", None),
        ("--runtime nvidia -e NVIDIA_VISIBLE_DEVICES=0", 1),
        ("--runtime=nvidia --env NVIDIA_VISIBLE_DEVICES=0,1,3", 3),
        ("-e NVIDIA_VISIBLE_DEVICES=all --gpus 2", 2),
        ("--runtime nvidia -e NVIDIA_VISIBLE_DEVICES=all", None),
        ("-e NVIDIA_VISIBLE_DEVICES=void", None),
        ("-e NVIDIA_VISIBLE_DEVICES", None),
        ("", None),
    ],
)
def test_how_many_gpus_a_container_gets(options: str, count: int | None) -> None:
    workload = parse(f"docker run {options} vllm/vllm-openai --model m".split()).workload
    assert workload.container_gpu_count.or_none() == count
