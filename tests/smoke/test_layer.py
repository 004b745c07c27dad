"""The layer: sharded is compared with whole on real ranks, and times are put into words that say what they mean."""

from __future__ import annotations

import pytest

from gpudoctor.model.smoke import SmokeLayerRun
from gpudoctor.smoke.layer import words
from gpudoctor.smoke.plan import LayerShape
from tests.smoke.runs import FAULTY, needs_torch, run

SHAPE = LayerShape(4096, 14336, 32)


def measured(kind: str, tokens: int, sharded_us: float, arithmetic_us: float, whole_us: float) -> SmokeLayerRun:
    return SmokeLayerRun(
        kind="decode" if kind == "decode" else "prefill",
        tokens=tokens,
        bytes=tokens * 8192,
        sharded_us=sharded_us,
        arithmetic_us=arithmetic_us,
        whole_us=whole_us,
        communication_share=1 - arithmetic_us / sharded_us,
        speedup=whole_us / sharded_us,
    )


@needs_torch
@pytest.mark.parametrize("ranks", ["1", "2", "3"])
def test_a_sharded_layer_is_exactly_the_whole_one(ranks: str) -> None:
    done = run("--tp", ranks, "--hidden", "96", "--intermediate", "384", "--max-bytes", "4K")
    layer = done.smoke["layer"]
    assert (done.smoke["verdict"], done.smoke["wrong"], layer["left_out"]) == ("pass", [], "")
    assert [(one["kind"], one["tokens"]) for one in layer["runs"]] == [
        ("decode", 1),
        ("decode", 16),
        ("prefill", 2048),
    ]
    assert all(one["bytes"] == one["tokens"] * 96 * 4 for one in layer["runs"])
    assert {96 * 2, 16 * 96 * 2} <= {size["bytes"] for size in done.smoke["sizes"]}
    assert all(0 <= one["communication_share"] < 1 and one["whole_us"] > 0 for one in layer["runs"])


@needs_torch
@pytest.mark.parametrize(("fault", "kind"), [("shard", "noise"), ("unsummed", "stale"), ("dropped", "zeros")])
def test_a_wrong_layer_is_wrong_data_by_rank_and_kind(fault: str, kind: str) -> None:
    done = run("--hidden", "96", "--intermediate", "384", "--max-bytes", "4K", worker=FAULTY, FAULT=fault)
    assert (done.smoke["verdict"], done.exit_code) == ("wrong_data", 1)
    wrong = [one for one in done.smoke["wrong"] if one["rank"] == 1]
    assert {one["op"] for one in done.smoke["wrong"]} == {"layer"}
    assert {one["kind"] for one in wrong} == {kind}
    assert done.smoke["layer"]["words"] == []


@needs_torch
def test_a_layer_that_the_ranks_do_not_divide_is_left_out_and_said() -> None:
    done = run("--tp", "3", "--hidden", "96", "--intermediate", "100", "--max-bytes", "4K")
    assert (done.smoke["verdict"], done.smoke["layer"]["runs"]) == ("pass", [])
    assert "3 ranks do not divide 100" in done.smoke["layer"]["left_out"]


@needs_torch
def test_on_the_cpu_its_times_are_not_passed_off_as_those_of_gpus() -> None:
    done = run("--model", "meta-llama/Llama-3.2-1B", "--max-bytes", "4K")
    layer = done.smoke["layer"]
    assert (layer["hidden"], layer["intermediate"], layer["dtype"]) == (2048, 8192, "fp32")
    assert "say nothing about GPUs" in layer["words"][0]


def test_a_slower_decode_says_when_tensor_parallelism_is_still_worth_it() -> None:
    said = words((measured("decode", 1, 100, 20, 60), measured("prefill", 2048, 1000, 800, 1500)), SHAPE, 2, "nccl")
    assert "Decode, 1 token: TP=2 is 1.7 times as slow as one GPU; 80 % of its time is communication." in said
    assert "Prefill, 2048 tokens: TP=2 is 1.5 times as fast as one GPU; 20 % of its time is communication." in said
    assert any("does not fit into one" in sentence for sentence in said)
    assert said[-1].startswith("32 layers with 2 all-reduces each: about 5.1 ms")  # 80 us x 2 x 32


def test_a_faster_decode_needs_no_advice() -> None:
    said = words((measured("decode", 1, 40, 30, 60),), LayerShape(4096, 14336), 2, "nccl")
    assert not any("does not fit" in sentence for sentence in said)
    assert not any("layers" in sentence for sentence in said)


def test_one_rank_is_said_to_share_nothing() -> None:
    assert words((measured("decode", 1, 40, 30, 60),), SHAPE, 1, "nccl")[0].startswith("With one rank")
