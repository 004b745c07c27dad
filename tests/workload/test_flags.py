"""gpudoctor's own flags, alone and over a launch command."""

from __future__ import annotations

import pytest

from gpudoctor.errors import UsageError
from gpudoctor.model.facts import Workload
from gpudoctor.workload import Flags, ParsedCommand, combine, from_flags, parse


def values(workload: Workload, *names: str) -> dict[str, object]:
    return {name: getattr(workload, name).or_none() for name in names}


def test_flags_alone_describe_a_run() -> None:
    workload = from_flags(Flags(tp=4, pp=2, model="a/b", dtype="bf16"))
    assert values(workload, "tp", "pp", "world_size", "gpus_needed", "model", "dtype", "framework") == {
        "tp": 4,
        "pp": 2,
        "world_size": 8,
        "gpus_needed": 8,
        "model": "a/b",
        "dtype": "bfloat16",
        "framework": None,
    }
    assert workload.tp.source == "flag"


def test_no_flags_leave_the_command_as_it_is() -> None:
    parsed = parse(["vllm serve x -tp 2"])
    assert combine(Flags(), parsed) == parsed
    assert combine(Flags(), ParsedCommand()).workload == Workload()


def test_a_framework_brings_its_defaults_and_spellings() -> None:
    workload = from_flags(Flags(framework="VLLM"))
    assert values(workload, "framework", "tp", "pp", "world_size") == {
        "framework": "vllm",
        "tp": 1,
        "pp": 1,
        "world_size": 1,
    }
    assert workload.tp.source == "default"
    assert (workload.fix_flags.or_none() or {})["tp"] == "--tensor-parallel-size"


def test_an_unknown_framework_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        from_flags(Flags(framework="vlm"))
    assert "vllm" in caught.value.hint


def test_a_flag_wins_over_the_command_and_the_difference_is_told() -> None:
    combined = combine(Flags(tp=2, quantization="awq"), parse(["vllm serve x -tp 4 --quantization gptq"]))
    assert values(combined.workload, "tp", "world_size", "gpus_needed", "quantization") == {
        "tp": 2,
        "world_size": 2,
        "gpus_needed": 2,
        "quantization": "awq",
    }
    assert combined.workload.contradictions.or_none() == (
        "--tp 2 is not what the launch command says (4); --tp is used.",
        "--quant awq is not what the launch command says (gptq); --quant is used.",
    )


def test_a_flag_that_repeats_the_command_or_its_default_contradicts_nothing() -> None:
    combined = combine(Flags(tp=2, pp=2), parse(["vllm serve x -tp 2"]))
    assert combined.workload.contradictions.or_none() == ()
    assert combined.workload.world_size.or_none() == 4


def test_the_commands_own_contradictions_stay() -> None:
    combined = combine(Flags(max_model_len=4096), parse(["vllm serve x -tp 2 -tp 4"]))
    assert len(combined.workload.contradictions.or_none() or ()) == 1
    assert combined.workload.max_model_len.or_none() == 4096


def test_ray_still_hides_how_many_gpus_this_node_gives() -> None:
    combined = combine(Flags(tp=8), parse(["vllm serve x -tp 4 --distributed-executor-backend ray"]))
    assert values(combined.workload, "tp", "world_size", "gpus_needed") == {
        "tp": 8,
        "world_size": 8,
        "gpus_needed": None,
    }


def test_flags_over_a_launcher_keep_its_processes() -> None:
    combined = combine(Flags(tp=2), parse(["torchrun --nproc-per-node 4 t.py"]))
    assert values(combined.workload, "tp", "world_size", "gpus_needed") == {
        "tp": 2,
        "world_size": 4,
        "gpus_needed": 4,
    }
