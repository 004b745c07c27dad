"""Quantisation configs → what stays plain, and how the rest is packed."""

from __future__ import annotations

import pytest

from gpudoctor.fit.config_packing import packing_of
from gpudoctor.fit.packing import ATTENTION
from gpudoctor.fit.shape import Packing
from gpudoctor.readers.quantization_config import Quantization

Q = Quantization
METHODS: dict[str, tuple[Quantization, Packing | None]] = {
    "AWQ": (Q(method="awq", bits=4, group_size=64), Packing(method="awq", group_size=64)),
    "GPTQ at 8 bit with act-order": (Q(method="gptq", bits=8, group_size=-1, act_order=True),
                                     Packing(method="gptq-8bit", group_size=-1, act_order=True)),
    "GPTQ at 3 bit": (Q(method="gptq", bits=3, group_size=128), None),
    "GPTQ with its output": (Q(method="gptq", bits=4, lm_head=True),
                             Packing(method="gptq-4bit", group_size=128, lm_head_packed=True)),
    "AutoRound": (Q(method="auto-round", bits=4, group_size=128), Packing(method="gptq-4bit", group_size=128)),
    "FP8 in blocks": (Q(method="fp8", is_float=True, block_size=128), Packing(method="fp8", block_size=128)),
    "NF4": (Q(method="bitsandbytes", bits=4), Packing(method="bnb-nf4")),
    "LLM.int8": (Q(method="bitsandbytes", bits=8), Packing(method="bnb-int8")),
    "compressed 4 bit": (Q(method="compressed-tensors", algorithm="pack-quantized", bits=4, group_size=32),
                         Packing(method="int4", group_size=32, zero_points=False)),
    "compressed 4 bit with zero points": (Q(method="compressed-tensors", bits=4, group_size=128, symmetric=False),
                                          Packing(method="int4", group_size=128)),
    "compressed 8 bit integers": (Q(method="compressed-tensors", algorithm="int-quantized", bits=8),
                                  Packing(method="int8")),
    "compressed FP8": (Q(method="compressed-tensors", algorithm="float-quantized", bits=8, is_float=True),
                       Packing(method="fp8")),
    "compressed NVFP4": (Q(method="compressed-tensors", algorithm="nvfp4-pack-quantized", bits=4, group_size=16),
                         Packing(method="nvfp4", group_size=16)),
    "ModelOpt FP8": (Q(method="modelopt", algorithm="fp8"), Packing(method="fp8")),
    "ModelOpt NVFP4": (Q(method="modelopt", algorithm="nvfp4", group_size=16), Packing(method="nvfp4", group_size=16)),
    "Quark FP8": (Q(method="quark", bits=8), Packing(method="fp8")),
    "EXL2": (Q(method="exl2", bits=4.65), Packing(method="exl2:4.65", lm_head_packed=True)),
    "EXL3": (Q(method="exl3", bits=3.0), Packing(method="exl3:3", lm_head_packed=True)),
    "EXL2 without its bits": (Q(method="exl2"), None),
    "an unknown method": (Q(method="vptq", bits=2), None),
}  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), METHODS.values(), ids=METHODS)
def test_each_method_is_packed_as_its_checkpoints_are(found: Quantization, expected: Packing | None) -> None:
    assert packing_of(found, 32) == expected


def test_modules_that_are_named_for_every_layer_stay_plain_everywhere() -> None:
    """Llama 3.1 405B in FP8 as Meta published it: only the MLP, and not of the first and last layer."""
    names = [f"model.layers.{i}.self_attn.{part}_proj" for i in range(126) for part in "qkvo"]
    names += [f"model.layers.{i}.mlp.{part}_proj" for i in (0, 125) for part in ("gate", "up", "down")]
    found = packing_of(Q(method="fp8", ignored=("lm_head", *names)), 126)
    assert found is not None
    assert found.kept == {"query", "key_value", "attention_out"}
    assert found.kept_layers == {0, 125}


def test_patterns_are_looked_at_and_never_matched() -> None:
    """Kimi K2 Thinking packs the routed experts only. A pattern that would take for ever is only a text here."""
    patterns = ("lm_head", "re:.*self_attn.*", "re:.*shared_experts.*", r"re:.*mlp\.(gate|up|gate_up|down)_proj.*",
                "re:(a+)+$" * 20)  # fmt: skip
    found = packing_of(Q(method="compressed-tensors", bits=4, group_size=32, symmetric=True, ignored=patterns), 61)
    assert found is not None
    assert found.kept == ATTENTION | {"shared_experts", "mlp"}
    assert found.kept_layers == frozenset()


def test_what_is_never_packed_need_not_be_named() -> None:
    names = ("visual", "model.embed_tokens", "lm_head", "model.layers.*.mlp.gate", "model.norm")
    found = packing_of(Q(method="awq", bits=4, group_size=128, ignored=names), 28)
    assert found == Packing(method="awq", group_size=128)
