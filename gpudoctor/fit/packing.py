"""Bytes of a quantised matrix: weights, scales and zero points, as the method stores them.

Sources of the layouts: AutoAWQ and AutoGPTQ's packed tensors, compressed-tensors, bitsandbytes' double quantisation,
the OCP microscaling formats, ggml's block types; read 2026-10.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gpudoctor.data.models import StoredQuantization
from gpudoctor.fit.shape import Packing, TensorClass

ATTENTION: Final[frozenset[TensorClass]] = frozenset(
    {"query", "key_value", "attention_out", "latent_down", "latent_up", "indexer", "mixer_state"}
)
_ALL_BUT_EXPERTS: Final[frozenset[TensorClass]] = ATTENTION | {"mlp", "shared_experts"}
_BITS: Final = {"awq": 4, "gptq-4bit": 4, "gptq-8bit": 8, "int4": 4}
_GROUP: Final = 128  # what nearly every AWQ and GPTQ checkpoint uses
# Compiled where a name has one of the words: that takes 3 ms, and most names have none.
_HINTS: Final = (
    "fp4", "bnb", "bits", "nf4", "int8", "awq", "gptq", "8bit", "w8a", "autoround", "w4a16", "fp8", "eetq", "int4",
    "4bit", "bpw", "exl", "gguf", "q2", "q3", "q4", "q5", "q6", "q8", "q1", "tq", "int3", "8-bit", "4-bit",
)  # fmt: skip
_CONTAINS: Final = (
    (r"nvfp4|modelopt[-_]fp4", "nvfp4"),
    (r"mxfp4", "mxfp4"),
    (r"(?:bnb|bitsandbytes).*(?:8-?bit|int8)|llm[._-]?int8", "bnb-int8"),
    (r"bnb|bitsandbytes|(?<![a-z])nf4", "bnb-nf4"),
    (r"awq", "awq"),
    (r"gptq.*(?:8-?bit|int8|w8)|(?:8-?bit|int8|w8).*gptq|w8a16", "gptq-8bit"),
    (r"gptq|autoround", "gptq-4bit"),
    (r"w4a16", "int4"),
    (r"fp8", "fp8"),
    (r"w8a8|eetq|(?<![a-z])int8|8-?bit", "int8"),
    (r"(?<![a-z])int4|4-?bit", "int4"),
)
_BPW: Final = r"(?<![\d.])(\d{1,2}(?:\.\d{1,4})?)[-_ ]?bpw"
_EXL: Final = r"exl([23])[:_-](\d{1,2}(?:\.\d{1,4})?)(?!\d)"
_GGUF_TYPE: Final = r"(?<![a-z0-9])(i?q\d(?:_[a-z0-9]+)+|tq\d_\d|i?q\d_\d)(?![a-z0-9])"
_GGUF_FLOAT: Final = r"(?<![a-z0-9])(b?f16|f32)(?![a-z0-9])"
# Options that say "as stored in the checkpoint" and not how that is.
AS_STORED: Final = frozenset({"", "auto", "compressed-tensors", "modelopt", "gguf", "inc", "torchao"})
_PLAIN: Final = r"(?<![a-z0-9])(?:bf16|fp16|fp32|none|float16|bfloat16)(?![a-z0-9])"


def named(text: str) -> Packing | None:
    """The packing that a `--quant` value or a model's name tells; None where it tells none, or plain floats."""
    low = text.lower()[:256]
    if not any(hint in low for hint in _HINTS):
        return None
    exl = re.search(_EXL, low)
    bpw = re.search(_BPW, low)
    if exl and 1 <= float(exl.group(2)) <= 16:
        return Packing(method=f"exl{exl.group(1)}:{exl.group(2)}")
    if bpw and 1 <= float(bpw.group(1)) <= 16:
        return Packing(method=f"{'exl3' if 'exl3' in low else 'exl2'}:{bpw.group(1)}")
    if "gguf" in low or re.search(_GGUF_TYPE, low):
        found = re.search(_GGUF_TYPE, low) or re.search(_GGUF_FLOAT, low) or re.search(r"mxfp4", low)
        return Packing(method=f"gguf:{found.group(0).upper()}") if found else None
    return next((usual(method) for pattern, method in _CONTAINS if re.search(pattern, low)), None)


def says_plain(text: str) -> bool:
    """Whether a name or option says that nothing is quantised."""
    return bool(re.search(_PLAIN, text.lower()[:256])) and named(text) is None


def usual(method: str) -> Packing:
    """A method with the settings that nearly every checkpoint has."""
    if method == "mxfp4":
        return Packing(method=method, group_size=32, kept=_ALL_BUT_EXPERTS)
    if method == "nvfp4":
        return Packing(method=method, group_size=16)
    return Packing(method=method, group_size=_GROUP if method in _BITS else None, zero_points=method != "int4")


def stored(found: StoredQuantization) -> Packing | None:
    """The packing of a checkpoint's own configuration; None where its method is not known."""
    method = (found.quant_method or found.quant_algo).lower()
    kept = ATTENTION if "attention" in found.kept else frozenset[TensorClass]()
    if method == "fbgemm_fp8":
        return Packing(method="fp8", kept=ATTENTION, kept_layers=frozenset(found.kept_layers))
    if method == "compressed-tensors":
        return _compressed(found)
    if "awq" in method or "gptq" in method or method == "auto-round":
        name = "awq" if "awq" in method else f"gptq-{found.bits or 4}bit"
        return Packing(method=name, group_size=found.group_size or _GROUP, kept=kept)
    if "fp8" in method or found.quant_algo == "FP8":
        block = found.weight_block_size[0] if found.weight_block_size else None
        experts = {"fp4": "mxfp4", "nvfp4": "nvfp4"}.get(found.expert_dtype, "")
        return Packing(method="fp8", block_size=block, kept=kept, experts_method=experts)
    return _other(found, method, kept)


def _other(found: StoredQuantization, method: str, kept: frozenset[TensorClass]) -> Packing | None:
    if found.quant_algo in ("NVFP4", "MIXED_PRECISION"):
        return Packing(method="nvfp4", group_size=16, kept=kept)
    if method == "bitsandbytes":
        return usual("bnb-int8" if found.bits == 8 else "bnb-nf4")
    return usual("mxfp4") if method == "mxfp4" else None


def _compressed(found: StoredQuantization) -> Packing:
    for word, method in (("nvfp4", "nvfp4"), ("mxfp4", "mxfp4"), ("float", "fp8"), ("int-quantized", "int8")):
        if word in found.format:
            return usual(method)
    if found.bits is None and found.group_size is None:
        # Kimi K2 Thinking and K2.5 pack the routed experts only, in groups of 32.
        return Packing(method="int4", group_size=32, zero_points=False, kept=_ALL_BUT_EXPERTS)
    method = "gptq-8bit" if found.bits == 8 else "int4"
    return Packing(method=method, group_size=found.group_size or _GROUP, zero_points=False)


def packed_bytes(packing: Packing, out: int, inner: int, *, zero_points: bool = True) -> int:
    """Bytes of one quantised matrix.

    Args:
        packing: the method; GGUF is counted elsewhere, by tensor.
        out: rows.
        inner: columns; groups run along them.
        zero_points: whether the engine keeps zero points (Marlin drops those of symmetric GPTQ).
    """
    if packing.method in _BITS:
        return _grouped(packing, out, inner, zero_points=zero_points and packing.zero_points)
    if packing.block_size:
        return out * inner + 4 * -(-out // packing.block_size) * -(-inner // packing.block_size)
    bits = bits_per_weight(packing.method)
    if bits is not None:
        return round(out * inner * bits / 8)
    size = _PLAIN_SIZES.get(packing.method)
    return size(out, inner) if size else 2 * out * inner


_PLAIN_SIZES: Final[dict[str, Callable[[int, int], int]]] = {
    "fp8": lambda out, inner: out * inner + 4 * out,
    "int8": lambda out, inner: out * inner + 4 * out,
    "bnb-int8": lambda out, inner: out * inner + 4 * out,
    # One byte a block of 64, one float a block of 64 x 256, and the two code books.
    "bnb-nf4": lambda out, inner: out * inner // 2 + -(-out * inner // 64) + 4 * -(-out * inner // 16384) + 1088,
    "mxfp4": lambda out, inner: out * inner // 2 + -(-out * inner // 32),
    "nvfp4": lambda out, inner: out * inner // 2 + -(-out * inner // 16) + 8,
}


def bits_per_weight(method: str) -> float | None:
    """The number behind exl2: and exl3:."""
    head, _, number = method.partition(":")
    return float(number) if head in ("exl2", "exl3") and number else None


def _grouped(packing: Packing, out: int, inner: int, *, zero_points: bool) -> int:
    bits = _BITS[packing.method]
    size = packing.group_size or _GROUP
    groups = 1 if size < 0 else -(-inner // size)
    zeros = groups * out * bits // 8 if zero_points else 0
    order = 4 * inner if packing.act_order else 0
    return out * inner * bits // 8 + 2 * groups * out + zeros + order
