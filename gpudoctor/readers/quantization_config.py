"""How a checkpoint's weights are stored, in the words of whoever wrote it: one struct for a dozen dialects.

Sources, read 2026-11-21: transformers/utils/quantization_config.py; vllm/model_executor/layers/quantization/; the
configuration chapters of compressed-tensors, AutoAWQ, GPTQModel, ExLlamaV2 and V3, and NVIDIA ModelOpt.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from gpudoctor.readers.model_config import Section

_ALIASES: Final = {
    "awq_marlin": "awq", "gemm": "awq", "gptq_marlin": "gptq", "gptqmodel": "gptq", "autoround": "auto-round",
    "intel/auto-round": "auto-round", "auto_round": "auto-round", "bnb": "bitsandbytes", "fbgemm_fp8": "fp8",
    "modelopt_fp4": "modelopt", "nvfp4": "modelopt", "compressed_tensors": "compressed-tensors", "inc": "auto-round",
}  # fmt: skip
_IGNORED: Final = (
    "ignore", "modules_to_not_convert", "ignored_layers", "llm_int8_skip_modules", "exclude_modules", "exclude",
)  # fmt: skip


class Quantization(Struct, frozen=True, kw_only=True):
    """`method` is the scheme's common name, lower case; the other fields are None where the file does not say.

    Bits are those of one weight, without scales. Group sizes of -1 (one group a row) are kept as they are.
    """

    method: str
    algorithm: str = ""  # ModelOpt's quant_algo, or the format of compressed-tensors
    bits: float | None = None
    is_float: bool = False  # the packed numbers are floats (fp8, fp4), not integers
    group_size: int | None = None
    block_size: int | None = None  # rows and columns of an FP8 block
    head_bits: float | None = None
    act_order: bool = False
    symmetric: bool | None = None
    double_quantised: bool = False  # bitsandbytes: the scales are packed too
    lm_head: bool = False  # the output projection is packed as well
    ignored: tuple[str, ...] = ()  # names or patterns of modules that stay as they were
    packs_layers: bool = True  # false: only the experts are packed (the MXFP4 of gpt-oss)


def read_quantization(config: Section) -> Quantization | None:
    """The `quantization_config` of config.json, or the object of a file of its own; None where it says nothing."""
    inner = config.section("quantization")  # hf_quant_config.json of ModelOpt
    if inner is not None and not config.text("quant_method"):
        config = inner
    method = _method(config)
    if not method:
        return None
    weights = _group_weights(config) or _inner_parameters(config)
    return Quantization(
        method=method,
        algorithm=(config.text("quant_algo") or config.text("format")).lower(),
        bits=_bits(config, weights, method),
        is_float=weights.text("type") == "float" or method == "fp8",
        group_size=_group(config) or _group(weights),
        block_size=_block(config, weights),
        head_bits=config.real("head_bits"),
        act_order=config.flag("desc_act") is True or weights.text("actorder") in ("group", "dynamic"),
        symmetric=_symmetric(config, weights),
        double_quantised=config.flag("bnb_4bit_use_double_quant") is True,
        lm_head=config.flag("lm_head") is True or config.flag("quant_lm_head") is True,
        ignored=config.texts(*_IGNORED),
        packs_layers=method != "mxfp4",
    )


def _method(config: Section) -> str:
    method = config.text("quant_method", "quantization_method").lower()
    if method:
        return _ALIASES.get(method, method)
    if config.text("quant_algo"):
        return "modelopt"
    # Files from before 2024 have no name in them: AutoAWQ wrote w_bit, AutoGPTQ bits and desc_act.
    if config.number("w_bit"):
        return "awq"
    if config.number("bits") and (config.flag("desc_act") is not None or config.number("group_size")):
        return "gptq"
    return "bitsandbytes" if config.flag("load_in_4bit") or config.flag("load_in_8bit") else ""


def _bits(config: Section, weights: Section, method: str) -> float | None:
    if method == "bitsandbytes":
        return 8.0 if config.flag("load_in_8bit") else 4.0
    stated = config.real("bits", "w_bit", "nbits") or weights.real("num_bits", "nbits", "bits")
    if stated is not None:
        return stated if 0 < stated <= 32 else None
    found = re.search(r"(?:int|uint|fp|float|w)(\d{1,2})", weights.text("dtype", "quant_type").lower())
    return float(found.group(1)) if found else None


def _group(section: Section) -> int | None:
    for name in ("group_size", "q_group_size"):
        value = section.values.get(name)
        if value in (-1, 0) and not isinstance(value, bool):
            return -1
        number = section.number(name)
        if number is not None:
            return number
    return None


def _block(config: Section, weights: Section) -> int | None:
    sizes = config.numbers("weight_block_size") or weights.numbers("block_structure")
    return sizes[-1] if sizes and sizes[-1] > 0 else None


def _symmetric(config: Section, weights: Section) -> bool | None:
    zero_point = config.flag("zero_point")
    if zero_point is not None:
        return not zero_point
    stated = config.flag("sym")
    return stated if stated is not None else weights.flag("symmetric")


def _group_weights(config: Section) -> Section | None:
    """compressed-tensors: the weights of the first group that packs any."""
    for group in config.sections("config_groups"):
        weights = group.section("weights")
        if weights is not None:
            return weights
    return None


def _inner_parameters(config: Section) -> Section:
    """HQQ keeps its numbers in quant_config.weight_quant_params, Quark in global_quant_config.weight."""
    hqq = config.section("quant_config")
    quark = config.section("global_quant_config")
    found = (hqq.section("weight_quant_params") if hqq else None) or (quark.section("weight") if quark else None)
    return found or Section({})
