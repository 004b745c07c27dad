"""The dialects of quantisation configs, as published checkpoints have them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from gpudoctor.readers.model_config import Section, read_section
from gpudoctor.readers.quantization_config import Quantization, read_quantization
from tests.readers.test_model_config import values

DIALECTS: dict[str, tuple[dict[str, object], Quantization]] = {
    "AWQ": (
        {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm",
         "modules_to_not_convert": ["visual"]},
        Quantization(method="awq", bits=4, group_size=128, symmetric=False, ignored=("visual",)),
    ),
    "AutoAWQ of 2023": (
        {"zero_point": True, "q_group_size": 64, "w_bit": 4, "version": "GEMM"},
        Quantization(method="awq", bits=4, group_size=64, symmetric=False),
    ),
    "GPTQ": (
        {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": True, "sym": True, "lm_head": False},
        Quantization(method="gptq", bits=4, group_size=32, act_order=True, symmetric=True),
    ),
    "AutoGPTQ of 2023": (
        {"bits": 8, "group_size": -1, "desc_act": False, "sym": True, "damp_percent": 0.01},
        Quantization(method="gptq", bits=8, group_size=-1, symmetric=True),
    ),
    "AutoRound": (
        {"quant_method": "intel/auto-round", "bits": 4, "group_size": 128, "sym": True,
         "packing_format": "auto_round:auto_gptq"},
        Quantization(method="auto-round", bits=4, group_size=128, symmetric=True),
    ),
    "DeepSeek's FP8": (
        {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [128, 128]},
        Quantization(method="fp8", is_float=True, block_size=128),
    ),
    "Meta's FP8": (
        {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0,
         "modules_to_not_convert": ["model.layers.0", "lm_head"]},
        Quantization(method="fp8", is_float=True, ignored=("model.layers.0", "lm_head")),
    ),
    "NF4": (
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False, "bnb_4bit_quant_type": "nf4",
         "bnb_4bit_use_double_quant": True, "llm_int8_skip_modules": ["lm_head"]},
        Quantization(method="bitsandbytes", bits=4, double_quantised=True, ignored=("lm_head",)),
    ),
    "LLM.int8": (
        {"load_in_8bit": True, "load_in_4bit": False},
        Quantization(method="bitsandbytes", bits=8),
    ),
    "compressed-tensors, 4 bit": (
        {"quant_method": "compressed-tensors", "format": "pack-quantized", "ignore": ["lm_head"],
         "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": None,
                                       "weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32,
                                                   "symmetric": True, "actorder": "weight"}}}},
        Quantization(method="compressed-tensors", algorithm="pack-quantized", bits=4, group_size=32, symmetric=True,
                     ignored=("lm_head",)),
    ),
    "compressed-tensors, FP8": (
        {"quant_method": "compressed-tensors", "format": "float-quantized",
         "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "channel",
                                                   "group_size": None, "symmetric": True}}}},
        Quantization(method="compressed-tensors", algorithm="float-quantized", bits=8, is_float=True, symmetric=True),
    ),
    "compressed-tensors, FP8 in blocks": (
        {"quant_method": "compressed-tensors", "format": "float-quantized",
         "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "block",
                                                   "block_structure": [128, 128]}}}},
        Quantization(method="compressed-tensors", algorithm="float-quantized", bits=8, is_float=True, block_size=128),
    ),
    "NVFP4 of ModelOpt's own file": (
        {"producer": {"name": "modelopt"},
         "quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "group_size": 16,
                          "exclude_modules": ["lm_head"]}},
        Quantization(method="modelopt", algorithm="nvfp4", group_size=16, ignored=("lm_head",)),
    ),
    "NVFP4 in config.json": (
        {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head"],
         "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float", "group_size": 16}}}},
        Quantization(method="modelopt", algorithm="nvfp4", bits=4, is_float=True, group_size=16, ignored=("lm_head",)),
    ),
    "MXFP4": (
        {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]},
        Quantization(method="mxfp4", ignored=("model.layers.*.self_attn", "lm_head"), packs_layers=False),
    ),
    "EXL2": (
        {"quant_method": "exl2", "version": "0.1.8", "bits": 4.65, "head_bits": 6,
         "calibration": {"rows": 115, "length": 2048, "dataset": "(default)"}},
        Quantization(method="exl2", bits=4.65, head_bits=6),
    ),
    "EXL3": (
        {"quant_method": "exl3", "version": "0.0.1", "bits": 3.5, "head_bits": 6, "out_scales": "auto"},
        Quantization(method="exl3", bits=3.5, head_bits=6),
    ),
    "HQQ": (
        {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}},
        Quantization(method="hqq", bits=4, group_size=64),
    ),
    "Quark": (
        {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3", "symmetric": True}},
         "exclude": ["lm_head"]},
        Quantization(method="quark", bits=8, symmetric=True, ignored=("lm_head",)),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "expected"), DIALECTS.values(), ids=DIALECTS)
def test_each_dialect_says_the_same_things(config: dict[str, object], expected: Quantization) -> None:
    assert read_quantization(read_section(json.dumps(config))) == expected


@pytest.mark.parametrize("config", [{}, {"bits": 4}, {"quant_method": ""}, {"quantization": {}}, {"load_in_4bit": "x"}])
def test_what_names_no_method_is_none(config: dict[str, object]) -> None:
    assert read_quantization(read_section(json.dumps(config))) is None


KEYS = ["quant_method", "bits", "group_size", "config_groups", "weights", "ignore", "quant_config", "w_bit", "desc_act",
        "weight_block_size", "quantization", "load_in_8bit", "head_bits", "global_quant_config"]  # fmt: skip


@settings(deadline=None)
@given(values, values, values)
def test_any_values_are_read_or_ignored(first: object, second: object, third: object) -> None:
    for shift in range(len(KEYS)):
        keys = KEYS[shift:] + KEYS[:shift]
        section = Section(dict(zip(keys, [first, second, third] * 5, strict=False)))
        read_quantization(section)
