"""Sizes of GGUF files: which block type llama.cpp's quantiser gives each tensor of a file type.

Source: src/llama-quant.cpp (llama_tensor_get_type) and ggml's block sizes, read 2026-11; checked against the table of
file sizes of Llama 3 70B and 8B in tools/quantize/README.md.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gpudoctor.fit.shape import Attention, Experts, Shape
from gpudoctor.fit.tensors import Matrix, Split, layer_matrices

_BITS: Final = {
    "F32": 32.0, "F16": 16.0, "BF16": 16.0, "Q4_0": 4.5, "Q4_1": 5.0, "Q5_0": 5.5, "Q5_1": 6.0, "Q8_0": 8.5,
    "Q2_K": 2.625, "Q3_K": 3.4375, "Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625, "IQ1_S": 1.5625, "IQ1_M": 1.75,
    "IQ2_XXS": 2.0625, "IQ2_XS": 2.3125, "IQ2_S": 2.5625, "IQ3_XXS": 3.0625, "IQ3_S": 3.4375, "IQ4_NL": 4.5,
    "IQ4_XS": 4.25, "MXFP4": 4.25, "TQ1_0": 1.6875, "TQ2_0": 2.0625,
}  # fmt: skip
# What most tensors of a file type are.
_BASE: Final = {
    "Q2_K": "Q2_K", "Q2_K_S": "Q2_K", "Q2_K_L": "Q2_K", "Q2_K_XL": "Q2_K", "Q3_K_S": "Q3_K", "Q3_K_M": "Q3_K",
    "Q3_K_L": "Q3_K", "Q3_K_XL": "Q3_K", "Q4_K_S": "Q4_K", "Q4_K_M": "Q4_K", "Q4_K_L": "Q4_K", "Q4_K_XL": "Q4_K",
    "Q5_K_S": "Q5_K", "Q5_K_M": "Q5_K", "Q5_K_L": "Q5_K", "Q5_K_XL": "Q5_K", "Q6_K_L": "Q6_K", "Q6_K_XL": "Q6_K",
    "Q8_K_XL": "Q8_0", "IQ2_S": "IQ2_XS", "IQ2_M": "IQ2_S", "IQ3_XS": "IQ3_S", "IQ3_M": "IQ3_S",
}  # fmt: skip
_ALIAS: Final = {
    "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "Q3_K": "Q3_K_M", "Q2_K_L": "Q2_K", "Q2_K_XL": "Q2_K", "Q3_K_XL": "Q3_K_L",
    "Q4_K_L": "Q4_K_M", "Q4_K_XL": "Q4_K_M", "Q5_K_L": "Q5_K_M", "Q5_K_XL": "Q5_K_M", "Q6_K_L": "Q6_K",
    "Q6_K_XL": "Q6_K", "Q8_K_XL": "Q8_0", "MXFP4_MOE": "MXFP4",
}  # fmt: skip
_LOW: Final = ("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ2_S", "IQ2_M", "IQ1_M")
_FALLBACK: Final = {
    "Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL",
    "IQ1_S": "IQ4_NL", "IQ1_M": "IQ4_NL", "IQ2_XXS": "IQ4_NL", "IQ2_XS": "IQ4_NL", "IQ2_S": "IQ4_NL",
    "IQ3_XXS": "IQ4_NL", "IQ3_S": "IQ4_NL", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0",
}  # fmt: skip
_OUTPUT_Q5: Final = (*_LOW, "IQ3_XXS")


class GgufSizes(Struct, frozen=True):
    """Bytes of the parts of a file. `output` is what a GPU holds for it: a copy of the embedding where tied."""

    embedding: int
    output: int
    layers: tuple[int, ...]
    tied: bool

    @property
    def file(self) -> int:
        """All tensors of the file."""
        return self.embedding + sum(self.layers) + (0 if self.tied else self.output)


class _Model(Struct, frozen=True):
    depth: int
    gqa: float
    experts: int
    seventy: bool  # the quantiser's own idea of a 70 B model
    falcon: bool


def known_type(name: str) -> bool:
    """Whether `name` is a file type whose size can be computed."""
    return name in _BITS or name in _BASE or name in _ALIAS


def gguf_sizes(shape: Shape, file_type: str) -> GgufSizes:
    """The parts of the file that `llama-quantize` would write; the IQ types with an importance matrix, as published."""
    kind = _ALIAS.get(file_type, file_type)
    model = _model(shape)
    attention_seen = 0
    layers = []
    for index, layer in enumerate(shape.layers):
        size = 0.0
        for matrix in layer_matrices(layer, shape.hidden, Split()):
            size += _matrix(matrix, kind, model, index, attention_seen)
        attention_seen += layer.mixer is not None
        layers.append(round(size))
    columns = shape.hidden
    output = _bytes(shape.vocab * columns, _output(kind, model), columns) + 4 * columns
    embedding = output - 4 * columns if shape.tied else _bytes(shape.vocab * columns, _embedding(kind), columns)
    return GgufSizes(round(embedding), round(output), tuple(layers), shape.tied)


def _model(shape: Shape) -> _Model:
    attention = next((layer.mixer for layer in shape.layers if isinstance(layer.mixer, Attention)), None)
    heads, kv = (attention.heads, attention.kv_heads) if attention else (1, 1)
    part = next((layer.feed_forward for layer in shape.layers if isinstance(layer.feed_forward, Experts)), None)
    return _Model(
        depth=shape.depth,
        gqa=heads / kv,
        experts=part.count if part else 1,
        seventy=shape.depth == 80 and heads != kv,
        falcon=shape.family == "falcon",
    )


def _matrix(matrix: Matrix, kind: str, model: _Model, layer: int, attention: int) -> float:
    """Bytes of a matrix with its parts; small and odd ones stay 32-bit or 16-bit."""
    name = matrix.parts[0][0]
    if name in ("norm", "router"):
        return 4.0 * matrix.elements
    if not matrix.packed or kind in ("F16", "BF16", "F32"):
        return matrix.elements * (4.0 if kind == "F32" else 2.0)
    if kind == "MXFP4":
        return _bytes(matrix.elements, "MXFP4" if name == "experts" else "Q8_0", matrix.inner)
    if name == "query" and len(matrix.parts) > 1:
        return _attention(matrix, kind, model, attention)
    block = _attention_out(kind, model) if name == "attention_out" else _up(kind, model, layer)
    if matrix.down:
        block = _down(kind, model, layer)
    return _bytes(matrix.elements, block, matrix.inner)


def _attention(matrix: Matrix, kind: str, model: _Model, layer: int) -> float:
    (_, query), (_, keys) = matrix.parts
    inner = matrix.inner
    q = k = _base(kind)
    if kind in ("IQ3_XS", "IQ3_XXS"):
        q = k = "IQ3_XXS" if kind == "IQ3_XS" else "IQ2_S"
    if model.experts == 8:
        k = "Q4_K" if kind in _LOW else "Q8_0"
    v = _value(kind, model, layer)
    return (
        _bytes(query * inner, q, inner)
        + _bytes(keys // 2 * inner, k, inner)
        + _bytes((keys - keys // 2) * inner, v, inner)
    )


def _more(index: int, count: int) -> bool:
    """The layers that the quantiser holds to be more sensitive."""
    return index < count // 8 or index >= 7 * count // 8 or (index - count // 8) % 3 == 2


def _value(kind: str, model: _Model, layer: int) -> str:
    if kind in _LOW:
        if model.gqa >= 4 or model.experts >= 4:
            return "Q4_K"
        return "IQ3_S" if kind in ("IQ2_S", "IQ2_M") else "Q2_K"
    if model.experts == 8:
        return "Q8_0"
    found = _value_by_type(kind, model, layer)
    return "Q5_K" if model.seventy and found in ("Q3_K", "Q4_K") else found


def _value_by_type(kind: str, model: _Model, layer: int) -> str:
    many = model.gqa >= 4
    table = {
        "Q2_K": "Q4_K" if many else "Q3_K",
        "Q2_K_S": "Q4_K" if many else "Q2_K",
        "IQ3_XXS": "Q4_K" if many else "IQ3_XXS",
        "IQ3_XS": "Q4_K" if many else "IQ3_S",
        "IQ3_S": "Q4_K" if many else "IQ3_S",
        "IQ3_M": "Q4_K",
        "Q3_K_M": "Q5_K" if layer < 2 else "Q4_K",
        "Q3_K_L": "Q5_K",
        "IQ4_NL": "Q5_K" if many else "IQ4_NL",
        "IQ4_XS": "Q5_K" if many else "IQ4_XS",
        "Q4_K_M": "Q6_K" if _more(layer, model.depth) else "Q4_K",
        "Q5_K_M": "Q6_K" if _more(layer, model.depth) else "Q5_K",
        "Q4_K_S": "Q5_K" if layer < 4 else "Q4_K",
    }
    return table.get(kind, _base(kind))


def _attention_out(kind: str, model: _Model) -> str:
    if model.falcon:
        return "Q4_K" if kind == "Q3_K_L" else _base(kind)
    if model.experts == 8 and kind not in ("Q4_0", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "Q3_K_L"):
        return "Q5_K"
    if kind in ("IQ1_S", "IQ1_M"):
        return "IQ2_XXS"
    if kind in ("IQ2_S", "IQ2_M", "IQ3_XXS"):
        return "IQ3_S"
    table = {"Q2_K": "Q3_K", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
    return table.get(kind, _base(kind))


def _down(kind: str, model: _Model, layer: int) -> str:
    first = layer < model.depth // 8
    if kind in _LOW:
        return ("IQ3_S" if kind in ("IQ2_S", "IQ2_M") else "Q2_K") if first else _base(kind)
    more = _more(layer, model.depth)
    table = {
        "Q2_K": "Q3_K",
        "Q2_K_S": "Q4_K" if first else "Q2_K",
        "Q3_K_M": "Q5_K" if layer < model.depth // 16 else "Q4_K",
        "Q3_K_L": "Q5_K",
        "IQ3_M": "Q4_K" if first or (model.experts == 8 and more) else "IQ3_S",
        "Q4_K_M": "Q6_K" if more else "Q4_K",
        "Q5_K_M": "Q6_K" if more else "Q5_K",
        "Q4_K_S": "Q5_K" if first else "Q4_K",
    }
    return table.get(kind, _base(kind))


def _up(kind: str, model: _Model, layer: int) -> str:
    if kind == "IQ3_XS" and model.depth // 8 <= layer < 7 * model.depth // 8:
        return "IQ3_XXS"
    return _base(kind)


def _output(kind: str, model: _Model) -> str:
    if kind in ("F16", "BF16", "F32"):
        return kind
    if kind in ("MXFP4", "Q8_0") or model.falcon:
        return "Q8_0"
    return "Q5_K" if kind in _OUTPUT_Q5 else "Q6_K"


def _embedding(kind: str) -> str:
    if kind in ("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"):
        return "Q2_K"
    if kind in ("IQ2_S", "IQ2_M", "IQ3_XXS"):
        return "IQ3_S"
    return "Q8_0" if kind == "MXFP4" else "Q4_K" if kind.startswith("TQ") else _base(kind)


def _base(kind: str) -> str:
    return _BASE.get(kind, kind if kind in _BITS else "Q4_K")


def _bytes(elements: int, block: str, columns: int) -> float:
    """Rows that are no whole number of blocks get another type."""
    if columns % 256 and block in _FALLBACK:
        block = _FALLBACK[block]
    if columns % 32 and block not in ("F16", "F32", "BF16"):
        block = "F16"
    return elements * _BITS[block] / 8
