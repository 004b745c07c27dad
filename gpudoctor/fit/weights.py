"""Bytes of weights on one rank, by class of tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.fit.allocator import CachingAllocator
from gpudoctor.fit.packing import packed_bytes
from gpudoctor.fit.shape import Attention, LatentAttention, Layer, Packing, Shape, TensorClass
from gpudoctor.fit.tensors import Matrix, Split, layer_matrices, one, padded_vocabulary, share


class ExpertPadding(Struct, frozen=True):
    """MXFP4 kernels want widths that are multiples of these; some pad the weights and leave the scales as they are."""

    width: int = 1
    hidden: int = 1
    scales: bool = True


class Placement(Struct, frozen=True, kw_only=True):
    """Which part of the model a rank has, and how its engine keeps it."""

    split: Split = Split()
    layers: tuple[int, int] | None = None  # first and one past the last; None: all of them
    embedding: bool = True
    head: bool = True
    packing: Packing | None = None
    plain_bytes: float = 2.0  # of an element that is not quantised
    rope_bytes: float = 0.0  # of the rotary table; 0: the engine keeps none
    absorbed: bool = False  # MLA: 16-bit copies of the up-projections, as vLLM and SGLang make them
    absorbed_products: bool = False  # MLA: W_Q x W_UK and W_UV x W_O in 16 bits, as vLLM 0.7 made them
    zero_points: bool = True
    padding: ExpertPadding = ExpertPadding()
    tower: bool = True
    measured_as: Literal["sum", "allocated", "reserved"] = "sum"


class RankWeights(Struct, frozen=True):
    """`total` is what the engine would print; the classes add up to the plain sum of the tensors."""

    total: int
    classes: dict[TensorClass, int]


_Sizes = tuple[list[int], dict[TensorClass, int]]  # of each allocation, and of each class


# Suggestions ask for the same weights again and again. The shape is kept, so that its id stays its own.
_KNOWN: dict[tuple[int, Placement], tuple[Shape, RankWeights]] = {}
_MOST_KNOWN = 256


def rank_weights(shape: Shape, place: Placement) -> RankWeights:
    """What one rank holds after loading."""
    key = (id(shape), place)
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = (shape, _counted(shape, place))
    return _KNOWN[key][1]


def _counted(shape: Shape, place: Placement) -> RankWeights:
    found = _by_formula(shape, place)
    if shape.stored and place.packing == shape.packing:
        return _as_stored(shape, place, found)
    return found


def whole_bytes(shape: Shape, packing: Packing | None, plain_bytes: float) -> int:
    """All weights on one device, without tables and copies that an engine adds."""
    return rank_weights(shape, Placement(packing=packing, plain_bytes=plain_bytes)).total


def _by_formula(shape: Shape, place: Placement) -> RankWeights:
    classes: dict[TensorClass, int] = {}
    allocator = CachingAllocator() if place.measured_as != "sum" else None
    cache: dict[tuple[int, bool], _Sizes] = {}
    _add(_sizes(_before(shape, place), None, place), classes, allocator)
    for index in range(*(place.layers or (0, shape.depth))):
        layer = shape.layers[index]
        kept = place.packing is not None and index in place.packing.kept_layers
        key = (id(layer), kept)
        if key not in cache:
            cache[key] = _sizes(_of_layer(layer, shape, place), None if kept else place.packing, place)
        _add(cache[key], classes, allocator)
    _add(_sizes(_after(shape, place), place.packing, place), classes, allocator)
    total = sum(classes.values())
    if allocator is not None:
        total = allocator.allocated if place.measured_as == "allocated" else allocator.reserved
    return RankWeights(total, classes)


def _as_stored(shape: Shape, place: Placement, found: RankWeights) -> RankWeights:
    """The bytes of the checkpoint's headers, cut in the proportion of the formula."""
    whole = _by_formula(shape, Placement(packing=place.packing, plain_bytes=place.plain_bytes))
    held = _by_formula(shape, replace(place, rope_bytes=0.0, absorbed=False, measured_as="sum"))
    real: dict[TensorClass, int] = {}
    for part in shape.stored:
        if part.tensor_class != "mtp":
            plain = round(part.sixteen_bit_bytes * place.plain_bytes / 2)
            size = part.bytes - part.sixteen_bit_bytes + plain
            real[part.tensor_class] = real.get(part.tensor_class, 0) + size
    classes = dict(found.classes)
    for name, size in real.items():
        formula, here = whole.classes.get(name, 0), held.classes.get(name, 0)
        classes[name] = classes.get(name, 0) - here + (round(size * here / formula) if formula else size)
    return RankWeights(found.total + sum(classes.values()) - sum(found.classes.values()), classes)


def _add(sizes: _Sizes, classes: dict[TensorClass, int], allocator: CachingAllocator | None) -> None:
    each, by_class = sizes
    for name, size in by_class.items():
        classes[name] = classes.get(name, 0) + size
    if allocator is not None:
        for size in each:
            allocator.take(size)


def _before(shape: Shape, place: Placement) -> Iterator[Matrix]:
    if not place.embedding:
        return
    if shape.tower and place.tower:  # cut by heads where they divide; the projector is on every rank
        tower = shape.tower
        yield one("vision", share(tower.parameters - tower.projector_parameters, _cut(tower.heads, place.split.tp)))
        yield one("vision", tower.projector_parameters)
    yield one("embedding", share(padded_vocabulary(shape), place.split.tp), shape.hidden)
    if shape.learned_positions:
        yield one("norm", shape.learned_positions, shape.hidden)


def _cut(heads: int, tp: int) -> int:
    return tp if heads and heads % tp == 0 else 1


def _after(shape: Shape, place: Placement) -> Iterator[Matrix]:
    if place.head:
        yield one("norm", shape.hidden)
        if not shape.tied or not place.embedding:
            packed = place.packing is not None and place.packing.lm_head_packed
            yield one("lm_head", share(padded_vocabulary(shape), place.split.tp), shape.hidden, packed=packed)
    if shape.extra_parameters:
        yield one("norm", shape.extra_parameters)
    if place.rope_bytes and shape.max_positions and not shape.learned_positions:
        for width in _rotary_widths(shape):
            yield Matrix((("norm", shape.max_positions),), width, bytes_each=place.rope_bytes)


def _rotary_widths(shape: Shape) -> list[int]:
    """One table a kind of attention: layers with and without a window rotate by other bases (Gemma 3)."""
    kinds: set[tuple[int, bool]] = set()
    for layer in shape.layers:
        mixer = layer.mixer
        if isinstance(mixer, LatentAttention):
            kinds.add((mixer.rope_dim, False))
        elif isinstance(mixer, Attention):
            two = "gemma" in shape.id.lower() and mixer.window is not None
            kinds.add((mixer.head_dim if shape.rope_dim is None else shape.rope_dim, two))
    return [width for width, _ in sorted(kinds) if width]


def _of_layer(layer: Layer, shape: Shape, place: Placement) -> Iterator[Matrix]:
    yield from layer_matrices(layer, shape.hidden, place.split)
    mixer = layer.mixer
    if place.absorbed and isinstance(mixer, LatentAttention):
        heads = share(mixer.heads, place.split.tp)
        yield one("latent_up", heads * mixer.nope_dim, mixer.kv_rank)
        yield one("latent_up", heads * mixer.value_dim, mixer.kv_rank)
    if place.absorbed_products and isinstance(mixer, LatentAttention):
        heads = share(mixer.heads, place.split.tp)
        yield one("latent_up", heads * mixer.kv_rank, mixer.q_rank or shape.hidden)
        yield one("attention_out", shape.hidden, heads * mixer.kv_rank)


def _sizes(matrices: Iterator[Matrix], packing: Packing | None, place: Placement) -> _Sizes:
    each: list[int] = []
    classes: dict[TensorClass, int] = {}
    for matrix in matrices:
        size = _bytes(matrix, packing, place)
        each.append(size)
        rest = size
        for name, rows in matrix.parts[1:]:
            part = size * rows // (matrix.out or 1)
            classes[name] = classes.get(name, 0) + part
            rest -= part
        first = matrix.parts[0][0]
        classes[first] = classes.get(first, 0) + rest
    return each, classes


def _bytes(matrix: Matrix, packing: Packing | None, place: Placement) -> int:
    name = matrix.parts[0][0]
    if packing is None or not matrix.packed or name in packing.kept:
        return round(matrix.elements * (matrix.bytes_each or place.plain_bytes))
    if name != "experts":
        return packed_bytes(packing, matrix.out, matrix.inner, zero_points=place.zero_points) * matrix.copies
    if packing.experts_method:
        packing = Packing(method=packing.experts_method)
    if packing.method == "mxfp4":
        return _padded_mxfp4(matrix, place.padding)
    return packed_bytes(packing, matrix.out, matrix.inner, zero_points=place.zero_points) * matrix.copies


def _padded_mxfp4(matrix: Matrix, padding: ExpertPadding) -> int:
    """Gate and up have the experts' width as rows, twice; down has it as columns."""
    halves = 1 if matrix.down else 2
    rows, columns = (padding.hidden, padding.width) if matrix.down else (padding.width, padding.hidden)
    out = halves * _rounded(matrix.out // halves, rows)
    inner = _rounded(matrix.inner, columns)
    scaled = out * inner if padding.scales else matrix.out * matrix.inner
    return (out * inner // 2 + -(-scaled // 32)) * matrix.copies


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
