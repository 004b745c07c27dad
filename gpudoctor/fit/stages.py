"""Which layers a rank has: pipeline stages, and whole layers dealt out to cards."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.fit.shape import Layer, Shape


def pipeline(depth: int, stages: int) -> list[tuple[int, int]]:
    """The cut of vLLM: what does not divide goes to the stages before the last, from the back.

    Source: vllm/distributed/utils.py, get_pp_indices.
    """
    sizes = [depth // stages] * stages
    for number in range(2, depth % stages + 2):
        sizes[-number] += 1
    return _ranges(sizes)


def dealt(depth: int, room: Sequence[float]) -> list[tuple[int, int]]:
    """The cut of llama.cpp: layers and the output, as the last of them, in proportion to the free memory of each card.

    The output is on the last card; its place in the count is left out of the ranges.
    """
    total = sum(room) or 1.0
    ends, passed = [], 0.0
    for size in room:
        passed += size / total
        ends.append(passed)
    owner = [
        next((i for i, end in enumerate(ends) if layer / (depth + 1) < end - 1e-9), len(ends) - 1)
        for layer in range(depth)
    ]
    return _ranges([owner.count(card) for card in range(len(room))])


def layers_of(shape: Shape, span: tuple[int, int]) -> tuple[Layer, ...]:
    """The layers of a stage."""
    return shape.layers[slice(*span)]


def _ranges(sizes: Sequence[int]) -> list[tuple[int, int]]:
    found, start = [], 0
    for size in sizes:
        found.append((start, start + size))
        start += size
    return found
