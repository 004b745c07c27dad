"""The smallest change of the user's own command: what moves, and that nothing else does."""

from __future__ import annotations

import pytest

from gpudoctor.model.change import Change
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Workload
from gpudoctor.workload import parse, rewrite
from gpudoctor.workload.generic import advice


def changed(
    command: str,
    *,
    flags: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    unset: tuple[str, ...] = (),
    add: tuple[str, ...] = (),
    remove: tuple[str, ...] = (),
) -> str:
    change = Change(flags=flags or {}, env=env or {}, unset=unset, add=add, remove=remove)
    return rewrite(parse([command]).workload, change)


VALUES = [
    ("vllm serve x -tp 4 --port 80", "2", "vllm serve x -tp 2 --port 80"),
    ("vllm serve x -tp=4", "2", "vllm serve x -tp=2"),
    ("vllm serve x --tensor_parallel_size=4", "2", "vllm serve x --tensor_parallel_size=2"),
    ("vllm serve x --tensor-parallel 4", "2", "vllm serve x --tensor-parallel 2"),
    ("vllm serve x", "2", "vllm serve x --tensor-parallel-size 2"),
    ("vllm serve x -tp 4 -tp 8", "2", "vllm serve x -tp 2 -tp 2"),
    ("vllm serve x \\\n  -tp 4 \\\n  --port 80", "2", "vllm serve x \\\n  -tp 2 \\\n  --port 80"),
    ("vllm serve x > log 2>&1 &", "2", "vllm serve x --tensor-parallel-size 2 > log 2>&1 &"),
    ("cd /srv && vllm serve x; echo done", "2", "cd /srv && vllm serve x --tensor-parallel-size 2; echo done"),
    ("TP=4\nvllm serve x -tp $TP", "2", "TP=4\nvllm serve x -tp 2"),
    ("bash -c 'cd /srv && vllm serve x -tp 4'", "2", "bash -c 'cd /srv && vllm serve x -tp 2'"),
    ("bash -c \"vllm serve 'a b' -tp 4\"", "2", "bash -c 'vllm serve '\"'\"'a b'\"'\"' -tp 2'"),
    ("python -m sglang.launch_server --model-path x --tp 4", "2",
     "python -m sglang.launch_server --model-path x --tp 2"),
    ("text-generation-launcher --model-id x", "2", "text-generation-launcher --model-id x --num-shard 2"),
    ("trtllm-serve x", "2", "trtllm-serve x --tp_size 2"),
    ("docker run --gpus all vllm/vllm-openai --model x", "2",
     "docker run --gpus all vllm/vllm-openai --model x --tensor-parallel-size 2"),
    ("torchrun --nproc-per-node 4 t.py -a 1", "2", "torchrun --nproc-per-node 2 t.py -a 1"),
    ("torchrun t.py -a 1", "2", "torchrun --nproc-per-node 2 t.py -a 1"),
    ("torchrun --nproc-per-node 4 t.py --tp 4", "2", "torchrun --nproc-per-node 2 t.py --tp 2"),
    ("torchrun --nproc-per-node 8 t.py --tp 4", "2", "torchrun --nproc-per-node 8 t.py --tp 2"),
    ("deepspeed --num_gpus=4 t.py", "2", "deepspeed --num_gpus=2 t.py"),
    ("deepspeed --include localhost:0,2,3 t.py", "2", "deepspeed --include localhost:0,2 t.py"),
    ("deepspeed --include localhost:0 t.py", "2", ""),
    ("accelerate launch --num_processes 4 t.py", "2", "accelerate launch --num_processes 2 t.py"),
    ("python t.py --tensor-parallel-size 4", "2", "python t.py --tensor-parallel-size 2"),
    ("~/venv/bin/vllm serve $HOME/m -tp 4", "2", "~/venv/bin/vllm serve $HOME/m -tp 2"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "value", "expected"), VALUES, ids=[v[0][:50] for v in VALUES])
def test_a_tp_size_is_put_where_the_command_has_it(command: str, value: str, expected: str) -> None:
    assert changed(command, flags={"tp": value}) == expected


def test_the_model_is_replaced_where_it_stands() -> None:
    assert changed("vllm serve a/b -tp 2", flags={"model": "c/d"}) == "vllm serve c/d -tp 2"


def test_several_fields_are_appended_in_their_order() -> None:
    command = changed("vllm serve x", flags={"max_model_len": "8192", "gpu_memory_utilization": "0.85"})
    assert command == "vllm serve x --max-model-len 8192 --gpu-memory-utilization 0.85"


def test_a_default_need_not_be_said() -> None:
    assert changed("vllm serve x", flags={"tp": "1", "pp": "2"}) == "vllm serve x --pipeline-parallel-size 2"
    assert changed("vllm serve x", flags={"tp": "1"}) == ""


def test_a_switch_is_added_once_and_taken_away() -> None:
    assert changed("vllm serve x", flags={"enforce_eager": "true"}) == "vllm serve x --enforce-eager"
    assert changed("vllm serve x --enforce-eager", flags={"enforce_eager": "true"}) == ""
    assert changed("vllm serve x --enforce-eager -tp 2", flags={"enforce_eager": "false"}) == "vllm serve x -tp 2"


def test_container_options_go_in_front_of_the_image() -> None:
    command = "docker run --gpus all vllm/vllm-openai --model x"
    assert changed(command, flags={"container_shm_bytes": "16g"}) == (
        "docker run --gpus all --shm-size=16g vllm/vllm-openai --model x"
    )
    assert changed(command, add=("--ipc=host",)) == "docker run --gpus all --ipc=host vllm/vllm-openai --model x"
    small = "docker run --shm-size 64m --gpus all vllm/vllm-openai --model x"
    assert changed(small, flags={"container_shm_bytes": "16g"}) == small.replace("64m", "16g")


ENVIRONMENT = [
    ("vllm serve x", "A=1 vllm serve x"),
    ("B=2 vllm serve x", "B=2 A=1 vllm serve x"),
    ("A=0 B=2 vllm serve x", "A=1 B=2 vllm serve x"),
    ("A='0 0' vllm serve x", "A=1 vllm serve x"),
    ("env A=0 vllm serve x", "env A=1 vllm serve x"),
    ("export A=0; vllm serve x", "export A=1; vllm serve x"),
    ("cd /srv && vllm serve x", "cd /srv && A=1 vllm serve x"),
    ("time vllm serve x", "time A=1 vllm serve x"),
    ("nohup vllm serve x &", "A=1 nohup vllm serve x &"),
    ("sudo -E vllm serve x", "A=1 sudo -E vllm serve x"),
    ("sudo vllm serve x", "sudo A=1 vllm serve x"),
    ("docker run --gpus all img vllm serve x", "docker run --gpus all -e A=1 img vllm serve x"),
    ("docker run -e A=0 img vllm serve x", "docker run -e A=1 img vllm serve x"),
    ("docker run --env=A=0 img vllm serve x", "docker run --env=A=1 img vllm serve x"),
    ("docker run -eA=0 img vllm serve x", "docker run -eA=1 img vllm serve x"),
    ("A=0 docker run img vllm serve x", "A=0 docker run -e A=1 img vllm serve x"),
    ("docker exec -it c vllm serve x", "docker exec -it -e A=1 c vllm serve x"),
    ("kubectl exec p -- vllm serve x", "kubectl exec p -- env A=1 vllm serve x"),
    ("ssh host vllm serve x", "ssh host A=1 vllm serve x"),
    ("bash -c 'A=0 vllm serve x'", "bash -c 'A=1 vllm serve x'"),
    ("bash -c 'vllm serve x'", "A=1 bash -c 'vllm serve x'"),
    ("mpirun -np 2 -x A=0 python t.py", "mpirun -np 2 -x A=1 python t.py"),
]


@pytest.mark.parametrize(("command", "expected"), ENVIRONMENT, ids=[e[0] for e in ENVIRONMENT])
def test_a_variable_is_set_where_it_reaches_the_program(command: str, expected: str) -> None:
    assert changed(command, env={"A": "1"}) == expected


UNSET = [
    ("vllm serve x", "env -u A vllm serve x"),
    ("B=1 vllm serve x", "B=1 env -u A vllm serve x"),
    ("A=1 vllm serve x", "vllm serve x"),
    ("A=1 B=2 vllm serve x", "B=2 vllm serve x"),
    ("docker run \\\n  -e A=1 \\\n  img vllm serve x", "docker run \\\n  \\\n  img vllm serve x"),
    ("nohup python -m vllm.entrypoints.api_server", "nohup env -u A python -m vllm.entrypoints.api_server"),
    ("docker run -e A=1 -e B=2 img vllm serve x", "docker run -e B=2 img vllm serve x"),
    ("docker run img vllm serve x", ""),
    ("env -u A vllm serve x", ""),
    ("bash -c 'A=1 vllm serve x'", "bash -c 'vllm serve x'"),
]


@pytest.mark.parametrize(("command", "expected"), UNSET, ids=[e[0] for e in UNSET])
def test_a_variable_is_kept_from_the_program(command: str, expected: str) -> None:
    assert changed(command, unset=("A",)) == expected


def test_values_are_quoted_for_a_shell() -> None:
    assert changed("vllm serve x", env={"A": "a b; rm -rf /"}) == "A='a b; rm -rf /' vllm serve x"
    assert changed("vllm serve x", flags={"model": "$(x)"}) == "vllm serve '$(x)'"


def test_literal_options_are_added_and_removed() -> None:
    assert changed("vllm serve x", add=("--enforce-eager", "--swap-space 4")) == (
        "vllm serve x --enforce-eager --swap-space 4"
    )
    assert changed("vllm serve x --swap-space 4 -tp 2", remove=("--swap-space",)) == "vllm serve x -tp 2"
    assert changed("vllm serve x -tp 2 --enforce-eager", remove=("--tensor-parallel-size",)) == (
        "vllm serve x --enforce-eager"
    )
    assert changed("vllm serve x --enforce-eager", add=("--enforce-eager",)) == ""


def test_what_a_program_cannot_be_told_gives_no_command() -> None:
    assert changed("python train.py", flags={"tp": "2"}) == ""
    assert changed("ollama serve", flags={"tp": "2"}) == ""
    assert changed("vllm serve x", flags={"container_shm_bytes": "16g"}) == ""
    assert changed("vllm serve x", add=("--shm-size=16g",)) == ""
    assert changed("vllm serve x", env={"not a name": "1"}) == ""
    assert changed("vllm serve x", env={"A": "\x1b[2J"}) == ""


def test_without_a_command_only_variables_can_be_pasted() -> None:
    vllm = Workload(framework=known("vllm", "flag"))
    both = Change(flags={"tp": "2"}, env={"CUDA_VISIBLE_DEVICES": "0,1"})
    assert rewrite(vllm, both) == "export CUDA_VISIBLE_DEVICES=0,1"
    assert rewrite(Workload(), Change(flags={"tp": "2"}, unset=("B",))) == "unset B"
    assert rewrite(Workload(), Change(flags={"tp": "2"})) == ""
    assert rewrite(Workload(), Change()) == ""


@pytest.mark.parametrize(
    ("framework", "change", "options"),
    [
        ("vllm", Change(flags={"tp": "2"}), "`--tensor-parallel-size 2`"),
        ("sglang", Change(flags={"tp": "2", "pp": "1"}), "`--tensor-parallel-size 2 --pipeline-parallel-size 1`"),
        ("vllm", Change(add=("--enforce-eager",)), "`--enforce-eager`"),
        ("vllm", Change(flags={"custom_allreduce_disabled": "true"}), "`--disable-custom-all-reduce`"),
        ("vllm", Change(flags={"container_shm_bytes": "16g"}), "`--shm-size 16g`"),
        ("vllm", Change(flags={"model": "a b"}), "`--model 'a b'`"),
        ("vllm", Change(env={"A": "1"}), ""),
        ("ollama", Change(flags={"tp": "2"}), ""),
        ("trtllm", Change(add=("--disable-custom-all-reduce",)), ""),
        ("transformers", Change(flags={"tp": "2"}), ""),
        ("vllm", Change(flags={"model": "\x1b[2J"}), ""),
    ],
)
def test_the_options_of_a_framework_are_named_where_the_command_is_not_known(
    framework: str, change: Change, options: str
) -> None:
    assert advice(Workload(framework=known(framework, "flag")), change) == options


def test_without_a_framework_the_usual_spellings_are_named() -> None:
    assert advice(Workload(), Change(flags={"max_model_len": "4096"})) == (
        "`--max-model-len 4096` in vLLM, `--context-length 4096` in SGLang"
    )
    assert advice(Workload(), Change(flags={"dtype": "float16"})) == "`--dtype float16`"
    assert advice(Workload(), Change()) == ""


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("mpirun -np 4 python train.py", "mpirun -np 2 python train.py"),
        ("mpirun -np 8 -H a,b python train.py", "mpirun -np 4 -H a,b python train.py"),
        ("mpirun -np 8 -npernode 4 python train.py", "mpirun -np 4 -npernode 2 python train.py"),
        ("mpirun -np 8 --hostfile h python train.py", "mpirun -np 8 --hostfile h -N 2 python train.py"),
        ("accelerate launch --num_processes 4 train.py", "accelerate launch --num_processes 2 train.py"),
        (
            "accelerate launch --num_machines 2 --num_processes 8 t.py",
            "accelerate launch --num_machines 2 --num_processes 4 t.py",
        ),
        ("accelerate launch --multi_gpu train.py", "accelerate launch --multi_gpu --num_processes 2 train.py"),
        ("accelerate launch --config_file c.yaml train.py", ""),
        ("srun -N 2 -n 8 python train.py", "srun -N 2 -n 4 python train.py"),
        ("torchrun --nproc_per_node 4 train.py", "torchrun --nproc_per_node 2 train.py"),
    ],
)
def test_processes_of_a_node_are_changed_where_the_command_counts_all_of_them(command: str, after: str) -> None:
    assert changed(command, flags={"processes_per_node": "2"}) == after


def test_no_program_gets_an_option_of_another_one() -> None:
    assert changed("trtllm-serve x --tp_size 2", add=("--disable-custom-all-reduce",)) == ""
    assert changed("python -m sglang.launch_server --tp 2", add=("--disable-custom-all-reduce",)).endswith("-reduce")
    assert changed("vllm bench serve --model x", flags={"executor": "mp"}) == ""


def test_without_a_command_variables_are_changed_in_the_shell() -> None:
    assert rewrite(Workload(), Change(env={"A": "1"})) == "export A=1"
    assert rewrite(Workload(), Change(env={"A": "1 2"}, unset=("B", "C"))) == "unset B C && export A='1 2'"
    assert rewrite(Workload(), Change(unset=("not a name",))) == ""


def test_several_changes_at_one_place_do_not_disturb_each_other() -> None:
    command = "A=1 B=2 vllm serve x -tp 4 --enforce-eager --swap-space 4"
    assert changed(command, unset=("A", "B"), remove=("--enforce-eager", "--swap-space"), flags={"tp": "2"}) == (
        "vllm serve x -tp 2"
    )
