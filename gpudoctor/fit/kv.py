"""Bytes of the KV cache: what one layer keeps for a token, and how engines lay layers of unlike kinds out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from gpudoctor.fit.shape import (
    Attention,
    CompressedAttention,
    LatentAttention,
    Layer,
    LinearAttention,
    Mixer,
    StateSpace,
)
from gpudoctor.fit.tensors import heads_per_rank, share

BLOCK = 16  # tokens in a block of vLLM and TGI
# DeepSeek V3.2's FP8 layout: 512 values of one byte, four scales, 64 rotated values of two bytes; its indexer keeps
# 128 values of one byte and a scale. Source: vLLM's fp8_ds_mla, and a log of GLM-5.2 that agrees to 0.01 %.
_SPARSE_FP8 = 656
_INDEX = 132
_COMPRESSED = 584  # DeepSeek V4: 448 values of one byte, 64 of two, 8 of scales


class LayerCache(Struct, frozen=True):
    """One layer on one rank. `window`: no more than so many tokens are kept; `state`: bytes a sequence, any length."""

    per_token: int = 0
    window: int | None = None
    state: int = 0


def layer_cache(mixer: Mixer | None, tp: int, element: float) -> LayerCache:
    """What a layer keeps, with `element` bytes a number."""
    if isinstance(mixer, Attention):
        return _attention(mixer, tp, element)
    if isinstance(mixer, LatentAttention):
        latent = round((mixer.kv_rank + mixer.rope_dim) * element)
        if mixer.index_heads:
            latent = (_SPARSE_FP8 if element <= 1 else latent) + _INDEX
        return LayerCache(per_token=latent)
    if isinstance(mixer, CompressedAttention):
        tokens = -(-_COMPRESSED // mixer.ratio) if mixer.ratio else 0
        index = _INDEX // mixer.ratio if mixer.index_heads and mixer.ratio else 0
        return LayerCache(per_token=tokens + index, state=mixer.window * _COMPRESSED)
    if isinstance(mixer, LinearAttention):
        return LayerCache(state=_linear_state(mixer, tp))
    return LayerCache(state=_space_state(mixer, tp)) if isinstance(mixer, StateSpace) else LayerCache()


def _attention(mixer: Attention, tp: int, element: float) -> LayerCache:
    if mixer.borrows_kv or mixer.cross:
        return LayerCache()
    kv = heads_per_rank(mixer.kv_heads, tp)
    index = round(mixer.index_dim * element) if mixer.index_heads else 0
    width = mixer.head_dim + (mixer.value_dim or mixer.head_dim)
    return LayerCache(per_token=round(kv * width * element) + index, window=mixer.window)


def _linear_state(mixer: LinearAttention, tp: int) -> int:
    keys, values = share(mixer.key_heads, tp) * mixer.key_dim, share(mixer.value_heads, tp) * mixer.value_dim
    recurrent = share(mixer.value_heads, tp) * mixer.key_dim * mixer.value_dim * 4
    return recurrent + (2 * keys + values) * max(mixer.conv_kernel - 1, 0) * 2


def _space_state(mixer: StateSpace, tp: int) -> int:
    inner = share(mixer.heads, tp) * mixer.head_dim
    groups = mixer.groups // tp if mixer.groups % tp == 0 else 1
    return inner * mixer.state_dim * 4 + (inner + 2 * groups * mixer.state_dim) * (mixer.conv_kernel - 1) * 2


class Cache(Struct, frozen=True, kw_only=True):
    """The cache of the layers on one rank: bytes ↔ tokens.

    Plain models keep every layer of every token. `groups` is vLLM's layout of models with layers of unlike kinds: all
    pages have one size, and a block of `block_bytes` serves one group of layers at a time.
    """

    per_token: int
    state: int = 0  # bytes a sequence
    window: int | None = None  # all layers look back no further
    windowed_per_token: int = 0  # of layers with a window, where engines keep those apart
    block: int = BLOCK
    block_bytes: int = 0
    groups: tuple[tuple[int, int | None, bool], ...] = ()  # (number of groups, window, is a state)
    by_concurrency: bool = False
    context: int = 0
    prefill: int = 0  # tokens of one step, which a window needs besides

    def capacity(self, size: int) -> int:
        """Tokens that fit into `size` bytes, as the engine prints them."""
        if size <= 0:
            return 0
        if not self.groups:
            rest = size - self.state
            return max(0, rest // (self.block * self.per_token) * self.block) if self.per_token else self.context
        blocks = size // self.block_bytes
        if self.by_concurrency:
            return int(blocks / self._blocks(self.context) * self.context)
        return int(blocks // sum(number for number, _, _ in self.groups) * self.block)

    def need(self, context: int) -> int:
        """Bytes for one sequence of `context` tokens."""
        if self.groups:
            return self._blocks(context) * self.block_bytes
        kept = min(context, self.window + self.prefill) if self.window else context
        return -(-kept // self.block) * self.block * self.per_token + self.state

    def longest(self, size: int) -> int:
        """The longest context that fits into `size` bytes."""
        low, high = 0, 1 << 30
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.need(middle) <= size else (low, middle - 1)
        return low

    def _blocks(self, context: int) -> int:
        count = 0
        for number, window, state in self.groups:
            if state:
                count += number
            else:
                kept = context if window is None else min(context, window - 1 + self.prefill)
                count += number * (-(-kept // self.block) + (window is not None))
        return max(count, 1)


def _each(layers: Iterable[Layer], tp: int, element: float) -> list[LayerCache]:
    """Layers of one kind are one object: each is looked at once."""
    known: dict[int, LayerCache] = {}
    found = []
    for layer in layers:
        if id(layer) not in known:
            known[id(layer)] = layer_cache(layer.mixer, tp, element)
        found.append(known[id(layer)])
    return found


def plain_cache(layers: Iterable[Layer], tp: int, element: float, *, block: int = BLOCK) -> Cache:
    """Every layer keeps every token, except that nothing looks back further than the smallest common window."""
    each = _each(layers, tp, element)
    windows = {cache.window for cache in each if cache.per_token}
    return Cache(
        per_token=sum(cache.per_token for cache in each),
        state=sum(cache.state for cache in each),
        window=max((w for w in windows if w), default=None) if None not in windows else None,
        windowed_per_token=sum(cache.per_token for cache in each if cache.window is not None),
        block=block,
    )


def grouped_cache(
    layers: Iterable[Layer], tp: int, element: float, *, context: int, prefill: int, by_concurrency: bool
) -> Cache:
    """As vLLM does it from 0.9 on. Source: v1/core/kv_cache_utils.py, _get_kv_cache_groups_uniform_page_size."""
    layers = tuple(layers)
    kinds = Counter(cache for cache in _each(layers, tp, element) if cache != LayerCache())
    plain = plain_cache(layers, tp, element)
    if len(kinds) < 2 or any(kind.per_token and kind.state for kind in kinds):
        from msgspec.structs import replace

        return replace(plain, context=context, prefill=prefill)
    widest = max((kind.per_token for kind in kinds), default=0)
    state = max(kind.state for kind in kinds)
    if not widest:
        return plain
    block = max(BLOCK, -(-state // (widest * BLOCK)) * BLOCK)
    least, most = min(kinds.values()), max(kinds.values())
    size = most if most < 1.5 * least else least
    return Cache(
        per_token=plain.per_token,
        state=plain.state,
        windowed_per_token=plain.windowed_per_token,
        block=block,
        block_bytes=block * widest * size,
        groups=tuple((-(-number // size), kind.window, kind.state > 0) for kind, number in kinds.items()),
        by_concurrency=by_concurrency,
        context=context,
        prefill=prefill,
    )
