"""How the weights are stored: bytes for a weight, and what that asks of the tensor-parallel size."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from gpudoctor.data.models import ModelRow, StoredQuantization


class Format(Struct, frozen=True, kw_only=True):
    """`linear_bytes` counts scales and zero points; embeddings stay 16-bit unless `whole_model`.

    None: stored in a way whose bytes we cannot count.
    """

    name: str
    linear_bytes: float | None
    whole_model: bool = False  # the average over the file, embeddings included (GGUF, EXL2)
    experts_only: bool = False
    group_size: int | None = None  # a shard has to be a whole number of groups
    block_size: int | None = None  # the same for FP8 in blocks, for inputs and outputs


PLAIN: Final = Format(name="none", linear_bytes=2.0)
# Bits for a weight over a whole 70 B file, as llama.cpp's own table of file sizes gives them.
_GGUF_BITS: Final = {
    "IQ1_S": 1.74, "IQ1_M": 1.90, "IQ2_XXS": 2.17, "IQ2_XS": 2.40, "IQ2_S": 2.52, "IQ2_M": 2.73, "Q2_K_S": 2.77,
    "Q2_K": 2.99, "Q2_K_L": 2.99, "Q2_K_XL": 2.99, "IQ3_XXS": 3.11, "IQ3_XS": 3.32, "IQ3_S": 3.51, "Q3_K_S": 3.51,
    "IQ3_M": 3.62, "Q3_K_M": 3.89, "Q3_K_L": 4.21, "Q3_K_XL": 4.21, "IQ4_XS": 4.30, "IQ4_NL": 4.54, "Q4_0": 4.53,
    "Q4_1": 5.0, "Q4_K_S": 4.58, "Q4_K_M": 4.82, "Q4_K_XL": 4.82, "Q5_0": 5.5, "Q5_1": 6.0, "Q5_K_S": 5.52,
    "Q5_K_M": 5.66, "Q5_K_XL": 5.66, "Q6_K": 6.56, "Q6_K_XL": 6.56, "Q8_0": 8.5, "Q8_K_XL": 8.5, "F16": 16.0,
    "BF16": 16.0,
}  # fmt: skip
_GGUF_TYPE = re.compile(r"(?<![a-z0-9])(i?q\d_[a-z0-9_]+)(?![a-z0-9])", re.IGNORECASE)
_GGUF_FLOAT = re.compile(r"(?<![a-z0-9])(b?f16)(?![a-z0-9])")  # of other names it says that nothing is quantised
_BPW = re.compile(r"(?<![\d.])(\d{1,2}(?:\.\d{1,4})?)[-_ ]?bpw")
_EIGHT = re.compile(r"int8|8bit|w8a16|8-bit")
_NAMED: Final = (
    (re.compile(r"nvfp4|modelopt[-_]fp4"), "nvfp4"),
    (re.compile(r"mxfp4"), "mxfp4"),
    (re.compile(r"bnb|bitsandbytes|(?<![a-z])nf4"), "bitsandbytes"),
    (re.compile(r"awq"), "awq"),
    (re.compile(r"gptq|w4a16|w8a16"), "gptq"),
    (re.compile(r"fp8|w8a8[-_]fp8"), "fp8"),
    (re.compile(r"w8a8|eetq|(?<![a-z])int8"), "int8"),
)
_UNQUANTISED = re.compile(r"(?<![a-z0-9])(?:bf16|fp16|none)(?![a-z0-9])")


def grouped(name: str, bits: int, group: int | None) -> Format:
    """AWQ, GPTQ and their kin: `bits` for a weight, a 16-bit scale and a zero point for each group."""
    size = group if group and group > 0 else None
    extra = (2 + bits / 8) / size if size else 0.0
    return Format(name=name, linear_bytes=bits / 8 + extra, group_size=size)


def named_format(text: str) -> Format | None:
    """The format that a model's name or a `--quantization` value tells; None where it tells none."""
    low = text.lower()
    bpw = _BPW.search(low) or re.search(r"exl[23]:(\d{1,2}(?:\.\d{1,4})?)", low)
    if bpw and 1 <= float(bpw.group(1)) <= 16:
        name = "exl3" if "exl3" in low else "exl2"
        return Format(name=name, linear_bytes=float(bpw.group(1)) / 8, whole_model=True)
    if "gguf" in low or _GGUF_TYPE.search(low):
        return _gguf(low)
    for pattern, name in _NAMED:
        if pattern.search(low):
            return _by_name(name, low)
    return PLAIN if _UNQUANTISED.search(low) else None


def _gguf(low: str) -> Format:
    found = _GGUF_TYPE.search(low) or _GGUF_FLOAT.search(low)
    kind = found.group(1).upper() if found else ""
    bits = _GGUF_BITS.get(kind)
    if bits is None:
        return Format(name="gguf", linear_bytes=None)
    return Format(name=f"gguf:{kind}", linear_bytes=bits / 8, whole_model=True)


def _by_name(name: str, low: str) -> Format:
    if name in ("awq", "gptq"):
        return grouped(name, 8 if _EIGHT.search(low) else 4, 128)
    if name == "bitsandbytes":
        return Format(name=name, linear_bytes=1.0 if _EIGHT.search(low) else 0.51587)
    if name == "mxfp4":
        return Format(name=name, linear_bytes=0.53125, experts_only=True)
    return Format(name=name, linear_bytes={"nvfp4": 0.5625}.get(name, 1.0))


def stored_format(stored: StoredQuantization) -> Format:
    """The format of a checkpoint's own configuration."""
    method = (stored.quant_method or stored.quant_algo).lower()
    if method == "compressed-tensors" and stored.bits in (4, 8):
        return _compressed(stored, stored.bits)
    if method in ("awq", "gptq", "awq_marlin", "gptq_marlin"):
        return grouped(method.partition("_")[0], stored.bits or 4, stored.group_size or 128)
    if method == "fp8" or stored.quant_algo == "FP8":
        block = stored.weight_block_size[0] if stored.weight_block_size else None
        return Format(name="fp8", linear_bytes=1.0, block_size=block)
    if stored.quant_algo == "NVFP4":
        return Format(name="nvfp4", linear_bytes=0.5625)
    if method == "mxfp4" or "mxfp4" in stored.format:
        return Format(name="mxfp4", linear_bytes=0.53125, experts_only=True)
    bits = 1.0 if stored.bits == 8 else 0.51587
    return Format(name=method, linear_bytes=bits if method == "bitsandbytes" else None)


def _compressed(stored: StoredQuantization, bits: int) -> Format:
    if "nvfp4" in stored.format:
        return Format(name="nvfp4", linear_bytes=0.5625)
    if "mxfp4" in stored.format:
        return Format(name="mxfp4", linear_bytes=0.53125, experts_only=True)
    if "float" in stored.format:
        return Format(name="fp8", linear_bytes=1.0)
    if "int-quantized" in stored.format:
        return Format(name="int8", linear_bytes=1.0)
    return grouped("compressed-tensors", bits, stored.group_size)


def weights_bytes(row: ModelRow, parameters: int, form: Format, plain_bytes: float) -> int | None:
    """All weights together. `plain_bytes` is the size of what is not quantised, 2 for bf16 and fp16."""
    if form.linear_bytes is None:
        return None
    if form.name == "none":
        return round(parameters * plain_bytes)
    if form.whole_model:
        return round(parameters * form.linear_bytes)
    quantised = min(parameters, _experts(row) if form.experts_only else parameters - _embeddings(row))
    return round(quantised * form.linear_bytes + (parameters - quantised) * plain_bytes)


def _embeddings(row: ModelRow) -> int:
    padded = -(-(row.vocab_size or 0) // 64) * 64
    return padded * (row.hidden_size or 0) * (1 if row.tie_word_embeddings else 2)


def _experts(row: ModelRow) -> int:
    layers = (row.num_hidden_layers or 0) - (row.first_k_dense_replace or 0)
    width = row.moe_intermediate_size or row.intermediate_size or 0
    return max(0, layers) * (row.num_experts or 0) * 3 * (row.hidden_size or 0) * width
