"""A checkpoint's own quantisation config → how its weights are packed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gpudoctor.fit.packing import ATTENTION, usual
from gpudoctor.fit.shape import Packing, TensorClass
from gpudoctor.fit.tensor_names import Namer
from gpudoctor.readers.quantization_config import Quantization

_FOUR_OR_EIGHT: Final = (4, 8)
_PARTS: Final[tuple[tuple[re.Pattern[str], frozenset[TensorClass]], ...]] = (
    (re.compile(r"(?:self_attn|attention|attn)\W*$"), ATTENTION),
    (re.compile(r"linear_attn|mamba|mixer\W*$"), frozenset({"mixer_state"})),
    (re.compile(r"shared_experts?\W*$"), frozenset({"shared_experts"})),
    (re.compile(r"(?:mlp|feed_forward)\W*$"), frozenset({"mlp"})),
    (re.compile(r"experts\W*$"), frozenset({"experts"})),
)
_ALWAYS_PLAIN: Final = frozenset({"embedding", "norm", "router", "vision", "mtp", "lm_head"})
_MOST: Final = 0.9  # of the layers: a pattern that names so many of them one by one means all


def packing_of(found: Quantization, layers: int) -> Packing | None:
    """The packing; None for a method whose bytes we cannot count.

    Args:
        found: the configuration as read.
        layers: of the model; tells modules that are kept everywhere from layers that are kept as a whole.
    """
    base = _method(found)
    if base is None:
        return None
    kept, kept_layers = _ignored(found.ignored, layers)
    return Packing(
        method=base.method,
        group_size=base.group_size,
        block_size=base.block_size,
        act_order=found.act_order and base.method.startswith("gptq"),
        kept=base.kept | kept,
        kept_layers=kept_layers,
        lm_head_packed=found.lm_head or base.lm_head_packed,
        zero_points=base.zero_points,
    )


def _method(found: Quantization) -> Packing | None:
    way = _WAYS.get(found.method)
    return way(found) if way else None


def _exl(found: Quantization) -> Packing | None:
    bits = found.bits
    return Packing(method=f"{found.method}:{bits:g}", lm_head_packed=True) if bits and bits <= 16 else None


def _gptq(found: Quantization) -> Packing | None:
    known = found.bits in _FOUR_OR_EIGHT
    return Packing(method=f"gptq-{found.bits:g}bit", group_size=found.group_size or 128) if known else None


def _modelopt(found: Quantization) -> Packing | None:
    algorithm = found.algorithm
    if "fp4" in algorithm or "mixed" in algorithm:
        return usual("nvfp4")
    if "fp8" in algorithm:
        return Packing(method="fp8", block_size=128 if "pb" in algorithm else None)
    return Packing(method="int4", group_size=found.group_size or 128) if "4" in algorithm else None


def _by_numbers(found: Quantization) -> Packing | None:
    for word, method in (("nvfp4", "nvfp4"), ("mxfp4", "mxfp4")):
        if word in found.algorithm:
            return Packing(method=method, group_size=found.group_size)
    if found.bits == 8 and (found.is_float or found.method == "quark"):
        return Packing(method="fp8", block_size=found.block_size)
    if found.bits == 8:
        packed = "pack" in found.algorithm
        return Packing(method="gptq-8bit", group_size=found.group_size or -1) if packed else usual("int8")
    if found.bits != 4:
        return None
    if found.is_float:
        return usual("nvfp4")
    return Packing(method="int4", group_size=found.group_size or -1, zero_points=found.symmetric is False)


_WAYS: Final[dict[str, Callable[[Quantization], Packing | None]]] = {
    "exl2": _exl,
    "exl3": _exl,
    "awq": lambda found: Packing(method="awq", group_size=found.group_size or 128),
    "gptq": _gptq,
    "auto-round": _gptq,
    "fp8": lambda found: Packing(method="fp8", block_size=found.block_size),
    "bitsandbytes": lambda found: usual("bnb-int8" if found.bits == 8 else "bnb-nf4"),
    "mxfp4": lambda _: usual("mxfp4"),
    "modelopt": _modelopt,
    "compressed-tensors": _by_numbers,
    "hqq": _by_numbers,
    "quark": _by_numbers,
    "eetq": lambda _: usual("int8"),
}


def _ignored(names: tuple[str, ...], layers: int) -> tuple[frozenset[TensorClass], frozenset[int]]:
    """Classes that are nowhere packed, and layers that are not packed at all.

    Names are those of modules, or patterns in a regular language of whoever wrote them: nothing is matched with them,
    they are only looked at.
    """
    namer = Namer(max(layers, 1))
    everywhere: set[TensorClass] = set()
    by_layer: dict[TensorClass, set[int]] = {}
    for name in names:
        text = name.removeprefix("re:").replace("\\.", ".").rstrip("$")
        found = namer.look_up(f"{text.strip('.*^')}.weight")
        kinds = _kinds(text, found.kind if found.kind != "qkv" else None)
        for kind in kinds - _ALWAYS_PLAIN:
            if found.layer is None:
                everywhere.add(kind)
            else:
                by_layer.setdefault(kind, set()).add(found.layer)
    everywhere |= {kind for kind, where in by_layer.items() if layers and len(where) >= _MOST * layers}
    left: list[set[int]] = [where for kind, where in by_layer.items() if kind not in everywhere]
    whole: frozenset[int] = frozenset(set.union(*left)) if left else frozenset()
    return frozenset(everywhere), whole


def _kinds(text: str, kind: TensorClass | None) -> set[TensorClass]:
    for pattern, classes in _PARTS:
        if pattern.search(text):
            return set(classes)
    return {kind} if kind else set()
