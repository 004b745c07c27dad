"""Stored bytes by place rather than by class: layers one by one, what comes before them and what after."""

from __future__ import annotations

from typing import NamedTuple

from gpudoctor.fit.shape import Shape


class StoredParts(NamedTuple):
    """Bytes. `output` is what the card with the last layer holds besides: a copy of the embedding where tied."""

    layers: tuple[int, ...]
    embedding: int
    output: int
    tower: int


def stored_parts(shape: Shape, plain_bytes: float) -> StoredParts | None:
    """The parts by the checkpoint's headers; None where the headers are not known.

    Args:
        shape: with `stored`.
        plain_bytes: of an element that the engine loads in a type of its own choice.
    """
    if not shape.stored:
        return None
    layers = [0] * shape.depth
    embedding = output = tower = 0
    for part in shape.stored:
        size = part.bytes + round(part.sixteen_bit_bytes * (plain_bytes / 2 - 1))
        if part.tensor_class == "vision":
            tower += size
        elif part.tensor_class == "embedding":
            embedding += size
        elif part.layer is not None and part.layer < shape.depth:
            layers[part.layer] += size
        elif part.tensor_class != "mtp":
            output += size
    return StoredParts(tuple(layers), embedding, output + (embedding if shape.tied else 0), tower)
