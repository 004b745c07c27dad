"""Which matrices one rank holds, and how large each is: sharded, copied or padded as vLLM and SGLang do it.

Sizes are numbers of elements. A matrix has `out` rows and `inner` columns; what engines fuse (q, k and v; gate and up)
is one matrix with several parts, because one matrix is one allocation.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gpudoctor.fit.shape import (
    Attention,
    CompressedAttention,
    Dense,
    Experts,
    LatentAttention,
    Layer,
    LinearAttention,
    Shape,
    StateSpace,
    TensorClass,
)

VOCABULARY_PADDING = 64  # vLLM's DEFAULT_VOCAB_PADDING_SIZE; SGLang has the same


class Split(Struct, frozen=True):
    """How a model is cut. With expert parallelism a rank has `count / ep` whole experts."""

    tp: int = 1
    ep: int = 1


class Matrix(Struct, frozen=True):
    """One allocation on one rank. `packed`: takes part in quantisation."""

    parts: tuple[tuple[TensorClass, int], ...]  # rows of each class, in order
    inner: int
    copies: int = 1  # experts in one tensor
    packed: bool = False
    bytes_each: float | None = None  # of an element, where it is not the model's type
    down: bool = False  # the last matrix of a feed-forward part: its width is the columns, not the rows

    @property
    def out(self) -> int:
        """Rows of one of the `copies`."""
        return sum(rows for _, rows in self.parts)

    @property
    def elements(self) -> int:
        """Elements of all."""
        return self.out * self.inner * self.copies


def one(tensor_class: TensorClass, out: int, inner: int = 1, *, packed: bool = False, copies: int = 1) -> Matrix:
    """A matrix of a single class; without `inner` a vector."""
    return Matrix(((tensor_class, out),), inner, copies, packed)


def share(size: int, parts: int) -> int:
    """The largest part of `size` cut into `parts`."""
    return -(-size // parts)


def heads_per_rank(kv_heads: int, tp: int) -> int:
    """KV heads on a rank: copied, not cut, once there are more ranks than heads."""
    return max(1, kv_heads // tp) if kv_heads % tp == 0 or kv_heads < tp else share(kv_heads, tp)


def layer_matrices(layer: Layer, hidden: int, split: Split) -> Iterator[Matrix]:
    """What one layer has on a rank, in the order in which engines create it."""
    mixer = layer.mixer
    if isinstance(mixer, Attention):
        yield from _attention(mixer, hidden, split.tp)
    elif isinstance(mixer, LatentAttention):
        yield from _latent(mixer, hidden, split.tp)
    elif isinstance(mixer, CompressedAttention):
        yield from _compressed(mixer, hidden, split.tp)
    elif isinstance(mixer, LinearAttention):
        yield from _linear(mixer, hidden, split.tp)
    elif isinstance(mixer, StateSpace):
        yield from _state_space(mixer, hidden, split.tp)
    if isinstance(layer.feed_forward, Dense):
        yield from _dense(layer.feed_forward, hidden, split.tp)
    elif isinstance(layer.feed_forward, Experts):
        yield from _experts(layer.feed_forward, hidden, split)
    for _ in range(layer.norms):
        yield one("norm", hidden * (2 if layer.norm_bias else 1))


def _attention(mixer: Attention, hidden: int, tp: int) -> Iterator[Matrix]:
    heads, kv = share(mixer.heads, tp), heads_per_rank(mixer.kv_heads, tp)
    value = mixer.value_dim or mixer.head_dim
    query = heads * mixer.head_dim * (2 if mixer.gated else 1)
    keys = kv * (mixer.head_dim if mixer.key_is_value else mixer.head_dim + value)
    if mixer.borrows_kv:
        keys = 0
    yield Matrix((("query", query), ("key_value", keys)), hidden, packed=True)
    if mixer.qkv_bias:
        yield one("norm", query + keys)
    if mixer.qk_norm == "full":
        yield one("norm", query + kv * mixer.head_dim)
    elif mixer.qk_norm == "head":
        yield one("norm", 2 * mixer.head_dim)
    yield one("attention_out", hidden, heads * value, packed=True)
    if mixer.out_bias:
        yield one("norm", hidden)
    if mixer.sinks:
        yield one("norm", heads)
    if mixer.index_heads:
        yield one("indexer", (mixer.index_heads + 1) * mixer.index_dim, hidden)


def _latent(mixer: LatentAttention, hidden: int, tp: int) -> Iterator[Matrix]:
    heads = share(mixer.heads, tp)
    width = mixer.nope_dim + mixer.rope_dim
    if mixer.q_rank:
        yield one("latent_down", mixer.q_rank + mixer.kv_rank + mixer.rope_dim, hidden, packed=True)
        yield one("latent_up", heads * width, mixer.q_rank, packed=True)
        yield one("norm", mixer.q_rank)
    else:
        yield one("query", heads * width, hidden, packed=True)
        yield one("latent_down", mixer.kv_rank + mixer.rope_dim, hidden, packed=True)
    yield one("norm", mixer.kv_rank)
    yield one("latent_up", heads * (mixer.nope_dim + mixer.value_dim), mixer.kv_rank, packed=True)
    yield one("attention_out", hidden, heads * mixer.value_dim, packed=True)
    if mixer.index_heads:
        yield from _indexer(mixer.index_heads, mixer.index_dim, mixer.q_rank or hidden, hidden)


def _indexer(heads: int, dim: int, rank: int, hidden: int) -> Iterator[Matrix]:
    yield one("indexer", heads * dim, rank, packed=True)
    yield one("indexer", dim, hidden)
    yield one("indexer", heads, hidden)


def _compressed(mixer: CompressedAttention, hidden: int, tp: int) -> Iterator[Matrix]:
    heads = share(mixer.heads, tp)
    yield one("latent_down", mixer.q_rank + mixer.head_dim, hidden, packed=True)
    yield one("latent_up", heads * mixer.head_dim, mixer.q_rank, packed=True)
    groups = share(mixer.o_groups, tp)
    yield one("attention_out", groups * mixer.o_rank, mixer.heads * mixer.head_dim // mixer.o_groups, packed=True)
    yield one("attention_out", hidden, groups * mixer.o_rank, packed=True)
    if mixer.ratio:
        overlap = 2 if mixer.ratio == 4 else 1
        yield Matrix((("indexer", 2 * overlap * mixer.head_dim),), hidden, bytes_each=4.0)
    if mixer.index_heads:
        yield one("indexer", mixer.index_heads * mixer.index_dim, mixer.q_rank, packed=True)
        yield Matrix((("indexer", 4 * mixer.index_dim),), hidden, bytes_each=4.0)
        yield one("indexer", mixer.index_heads, hidden)


def _linear(mixer: LinearAttention, hidden: int, tp: int) -> Iterator[Matrix]:
    keys = share(mixer.key_heads, tp) * mixer.key_dim
    values = share(mixer.value_heads, tp) * mixer.value_dim
    yield one("mixer_state", 2 * keys + 2 * values, hidden, packed=True)
    yield one("mixer_state", 2 * share(mixer.value_heads, tp), hidden)
    if mixer.conv_kernel:
        yield one("mixer_state", 2 * keys + values, mixer.conv_kernel)
    yield one("mixer_state", hidden, values, packed=True)
    yield one("norm", mixer.value_dim + 2 * share(mixer.value_heads, tp))


def _state_space(mixer: StateSpace, hidden: int, tp: int) -> Iterator[Matrix]:
    inner = share(mixer.heads, tp) * mixer.head_dim
    groups = mixer.groups // tp if mixer.groups % tp == 0 else 1
    states = 2 * groups * mixer.state_dim
    yield one("mixer_state", 2 * inner + states + share(mixer.heads, tp), hidden, packed=True)
    yield one("mixer_state", inner + states, mixer.conv_kernel + 1)
    yield one("mixer_state", hidden, inner, packed=True)
    yield one("norm", inner + 3 * share(mixer.heads, tp))


def _dense(part: Dense, hidden: int, tp: int) -> Iterator[Matrix]:
    width = share(part.width, tp)
    up = width * (2 if part.gated else 1)
    yield one("mlp", up, hidden, packed=True)
    yield Matrix((("mlp", hidden),), width, packed=True, down=True)
    if part.bias:
        yield one("norm", up + hidden)


def _experts(part: Experts, hidden: int, split: Split) -> Iterator[Matrix]:
    width = share(part.width, max(1, split.tp // split.ep))
    count = share(part.count, split.ep)
    inner = part.latent or hidden
    up = width * (2 if part.gated else 1)
    yield one("router", part.count, hidden)
    if part.router_bias:
        yield one("router", part.count)
    if part.latent:
        yield one("shared_experts", part.latent, hidden)
        yield one("shared_experts", hidden, part.latent)
    yield one("experts", up, inner, packed=True, copies=count)
    yield Matrix((("experts", inner),), width, copies=count, packed=True, down=True)
    if part.bias:
        yield one("norm", (up + inner) * count)
    if part.shared_width:
        yield from _shared(part, hidden, split.tp)
    if part.dense_width:
        yield from _dense(Dense(width=part.dense_width, gated=part.gated), hidden, split.tp)


def _shared(part: Experts, hidden: int, tp: int) -> Iterator[Matrix]:
    width = share(part.shared_width, tp)
    yield one("shared_experts", width * (2 if part.gated else 1), hidden, packed=True)
    yield Matrix((("shared_experts", hidden),), width, packed=True, down=True)
    if part.shared_gate:
        yield one("router", 1, hidden)


def padded_vocabulary(shape: Shape) -> int:
    """Rows of the embedding as engines make it."""
    return -(-shape.vocab // VOCABULARY_PADDING) * VOCABULARY_PADDING


def parameters(shape: Shape) -> int:
    """All weights of the model by its shape, without vision tower and layers for multi-token prediction."""
    sizes: dict[int, int] = {}
    for layer in shape.layers:
        if id(layer) not in sizes:
            sizes[id(layer)] = sum(matrix.elements for matrix in layer_matrices(layer, shape.hidden, Split()))
    layers = sum(sizes[id(layer)] for layer in shape.layers)
    embeddings = shape.vocab * shape.hidden * (1 if shape.tied else 2)
    return layers + embeddings + shape.hidden + shape.learned_positions * shape.hidden + shape.extra_parameters
