"""Tensors of a checkpoint → exact bytes of each class, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from gpudoctor.fit.shape import Attention, LinearAttention, Shape, StateSpace, Stored, TensorClass
from gpudoctor.fit.tensor_names import Fused, Namer
from gpudoctor.readers.tensor import Tensor

_FLOAT_BYTES: Final = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}


class Inventory(Struct, frozen=True):
    """`unknown_bytes` belong to tensors whose names say nothing; they are counted as lying on every rank."""

    stored: tuple[Stored, ...]
    total_bytes: int
    unknown_bytes: int
    has_head: bool
    has_tower: bool


def inventory(tensors: Iterable[Tensor], shape: Shape, *, as_stored: bool = False) -> Inventory:
    """Sum the tensors of all files of a checkpoint. A tensor that is there twice counts once.

    With `as_stored` plain floats keep their type when they are loaded, as llama.cpp does it; other engines load them
    in a type of 16 bits, whatever the file has.
    """
    namer = Namer(shape.depth)
    sums: dict[tuple[TensorClass, int | None], list[int]] = {}
    seen: set[str] = set()
    unknown = total = 0
    for tensor in tensors:
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        name = namer.look_up(tensor.name)
        wide = 0 if as_stored or name.packed else _FLOAT_BYTES.get(tensor.kind, 0)
        size = tensor.bytes // wide * 2 if wide else tensor.bytes
        total += size
        if name.kind is None:
            unknown += size
        parts = _parts(name.kind or "norm", shape, name.layer)
        for kind, share in parts:
            both = sums.setdefault((kind, name.layer), [0, 0])
            both[0] += round(size * share)
            both[1] += round(size * share) if wide else 0
    stored = tuple(
        Stored(tensor_class=kind, layer=layer, bytes=size, sixteen_bit_bytes=plain)
        for (kind, layer), (size, plain) in sums.items()
    )
    kinds = {kind for kind, _ in sums}
    return Inventory(stored, total, unknown, "lm_head" in kinds, "vision" in kinds)


_OF_ATTENTION: Final = frozenset({"qkv", "query", "key_value", "attention_out", "mixer_state"})


def _parts(kind: TensorClass | Fused, shape: Shape, layer: int | None) -> tuple[tuple[TensorClass, float], ...]:
    """Query, key and value in one tensor are told apart by the rows that each has."""
    mixer = shape.layers[layer].mixer if layer is not None else None
    if isinstance(mixer, LinearAttention | StateSpace) and kind in _OF_ATTENTION:
        return (("mixer_state", 1.0),)  # their projections have the names that attention's have
    if kind != "qkv":
        return ((kind, 1.0),)
    if not isinstance(mixer, Attention):
        return (("query", 1.0),)
    query = mixer.heads * mixer.head_dim * (2 if mixer.gated else 1)
    keys = mixer.kv_heads * (mixer.head_dim + (mixer.value_dim or mixer.head_dim))
    share = query / (query + keys) if query + keys else 1.0
    return (("query", share), ("key_value", 1.0 - share))
