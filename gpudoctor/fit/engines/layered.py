"""Engines that take what they need: llama.cpp, ExLlamaV2 and V3, transformers with a device map.

Each card gets whole layers, or with a row or tensor split a part of every layer. What a card needs is weights, the
cache of the whole context, buffers of one step and the CUDA context; it has to be free.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.engines.common import activation_width, card_name, card_of, gib
from gpudoctor.fit.gguf import gguf_sizes
from gpudoctor.fit.kv import layer_cache
from gpudoctor.fit.prediction import Limit, Prediction, RankUse
from gpudoctor.fit.question import Question
from gpudoctor.fit.shape import Packing
from gpudoctor.fit.stages import dealt
from gpudoctor.fit.stored_parts import StoredParts, stored_parts
from gpudoctor.fit.tensors import Split, padded_vocabulary
from gpudoctor.fit.weights import Placement, RankWeights, rank_weights

_STEP: Final = {"llamacpp": 512, "exllamav2": 2048, "exllamav3": 2048}  # tokens of one step
# CUDA context, cuBLAS and kernels on one card, without the first tensor: logs and nvidia-smi.
_CONTEXT_GIB: Final = {"llamacpp": 0.28, "exllamav2": 0.45, "exllamav3": 0.45, "transformers": 0.45}
_HEAD_BITS: Final = 6.0  # of the output projection in EXL2 and EXL3 files
_GROWS: Final = 2.7  # bytes for each token of context and unit of width, in ExLlama: nvidia-smi at 2k and 12k
_WINDOW_PAD: Final = 256
_MARGIN_GIB: Final = 0.4


class _Parts(Struct, frozen=True):
    """Bytes of the model by place: `layers` one by one, `output` on the last card."""

    layers: tuple[int, ...]
    embedding: int
    output: int


def predict(question: Question) -> Prediction:
    """Memory of each card."""
    cards = question.used_cards
    parts = _parts(question)
    cut = question.tp if question.tp > 1 else len(cards)
    spread = len(cards) > 1 and not question.by_layers
    spans = [(0, question.shape.depth)] * len(cards) if spread else _dealt(question, parts, cards)
    ranks = []
    for position, span in enumerate(spans):
        last = position == len(spans) - 1
        held = sum(parts.layers[slice(*span)]) + (parts.output if last or spread else 0)
        held += parts.embedding if position == 0 or spread else 0
        held = -(-held // cut) if spread else held
        ranks.append(_rank(question, position, span, held, last=last, parts=cut if spread else 1))
    return Prediction(
        ranks=tuple(ranks),
        kv_tokens=question.context,
        limits=tuple(_limits(question, ranks)),
        margin=round(_MARGIN_GIB * GIB),
        classes={},
        kv_bytes_per_token=max(_per_token(question, span, cut if spread else 1) for span in spans),
        assumptions=_assumptions(question),
        kv_exact=False,
    )


def _rank(question: Question, position: int, span: tuple[int, int], held: int, *, last: bool, parts: int) -> RankUse:
    card = card_of(question, position)
    rows = question.engine == "llamacpp" and question.split_mode == "row"
    cache = _cache(question, span, 1 if rows else parts)
    if rows and position:  # the cache stays on the first card
        cache = 0
    activation = _step_bytes(question, last=last or rows)
    overhead = round(_CONTEXT_GIB[question.engine] * GIB)
    return RankUse(
        rank=position,
        card=position,
        weights=held,
        kv_cache=cache,
        kv_needed=cache,
        activation=activation,
        overhead=overhead,
        available=card.free_now,
    )


def _parts(question: Question) -> _Parts:
    """Sizes by layer. llama.cpp and ExLlama leave the embedding in host memory."""
    shape, packing = question.shape, question.packing
    stored = stored_parts(shape, question.plain_bytes) if packing == shape.packing else None
    if stored is not None:
        on_gpu = question.engine == "transformers"
        return _Parts(stored.layers, stored.tower + (stored.embedding if on_gpu else 0), _output(question, stored))
    if packing is not None and packing.method.startswith("gguf:"):
        sizes = gguf_sizes(shape, packing.method.partition(":")[2])
        return _Parts(sizes.layers, 0, sizes.output)
    if question.engine == "llamacpp" and packing is None:
        sizes = gguf_sizes(shape, "F16")
        return _Parts(sizes.layers, 0, sizes.output)
    bare = Placement(split=Split(), packing=packing, plain_bytes=question.plain_bytes, embedding=False, head=False)
    layers = tuple(_weights(question, bare, index).total for index in range(shape.depth))
    embedding = round(padded_vocabulary(shape) * shape.hidden * question.plain_bytes)
    exl = question.engine in ("exllamav2", "exllamav3")
    output = round(padded_vocabulary(shape) * shape.hidden * _HEAD_BITS / 8) if exl else 0 if shape.tied else embedding
    # ExLlama loads a vision tower only where it is asked to; llama.cpp has it in a file of its own.
    tower = round(shape.tower.parameters * question.plain_bytes) if shape.tower and not exl else 0
    return _Parts(layers, tower + (0 if exl else embedding), output)


def _output(question: Question, stored: StoredParts) -> int:
    """Only transformers has one copy of an embedding that is the output projection too."""
    shared = stored.embedding if question.engine == "transformers" and question.shape.tied else 0
    return stored.output - shared


def _weights(question: Question, bare: Placement, index: int) -> RankWeights:
    from msgspec.structs import replace

    return rank_weights(question.shape, replace(bare, layers=(index, index + 1)))


def _dealt(question: Question, parts: _Parts, cards: tuple[Card, ...]) -> list[tuple[int, int]]:
    """Which layers each card gets: llama.cpp in proportion to free memory, others until a card is full."""
    if question.engine == "llamacpp":
        return dealt(question.shape.depth, [card.free_now for card in cards])
    each = [size + _cache(question, (index, index + 1), 1) for index, size in enumerate(parts.layers)]
    fixed = [_fixed(question, parts, position, len(cards)) for position in range(len(cards))]
    if question.engine == "transformers":  # "balanced": as evenly as layers allow
        target = (sum(each) + sum(fixed)) / len(cards)
        room = [target - own + max(each) / 2 for own in fixed]
    else:
        room = [card.free_now - own for card, own in zip(cards, fixed, strict=True)]
    return _filled(each, room)


def _fixed(question: Question, parts: _Parts, position: int, count: int) -> float:
    """What a card has besides layers."""
    own = _CONTEXT_GIB[question.engine] * GIB + _step_bytes(question, last=position == count - 1)
    return own + (parts.embedding if position == 0 else 0) + (parts.output if position == count - 1 else 0)


def _filled(each: list[int], room: list[float]) -> list[tuple[int, int]]:
    spans, start = [], 0
    for position, free in enumerate(room):
        stop, used = start, 0
        while stop < len(each) and (used + each[stop] <= free or position == len(room) - 1):
            used += each[stop]
            stop += 1
        spans.append((start, stop))
        start = stop
    return spans


def _per_token(question: Question, span: tuple[int, int], parts: int) -> int:
    tp = question.tp if parts > 1 and question.tp > 1 else parts
    return sum(
        layer_cache(layer.mixer, tp, question.kv_bytes).per_token for layer in question.shape.layers[slice(*span)]
    )


def _cache(question: Question, span: tuple[int, int], parts: int) -> int:
    """The cache of the whole context; llama.cpp keeps no more than the window of layers that have one."""
    total = 0
    for layer in question.shape.layers[slice(*span)]:
        cache = layer_cache(layer.mixer, parts, question.kv_bytes)
        tokens = question.context
        if cache.window and question.engine == "llamacpp":
            tokens = min(tokens, -(-(cache.window + _STEP["llamacpp"]) // _WINDOW_PAD) * _WINDOW_PAD)
        total += tokens * cache.per_token + cache.state
    return total


def _step_bytes(question: Question, *, last: bool) -> int:
    """Buffers of one step. The card with the output also has the logits."""
    shape = question.shape
    if question.engine == "transformers":
        return round(2 * question.context * activation_width(question))
    tokens = min(_STEP[question.engine], question.context)
    if question.engine == "llamacpp":  # 32-bit; the logits reuse what the layers needed
        inner = 4 * tokens * activation_width(question) // 2
        return max(inner, 4 * tokens * shape.vocab) if last else inner
    step = 2 * tokens * activation_width(question) + (2 * tokens * shape.vocab // 4 if last else 0)
    return step + round(_GROWS * shape.hidden * question.context) + _unpacked_layer(question)


def _unpacked_layer(question: Question) -> int:
    """ExLlama turns the whole cache of one layer back into 16 bits where it is kept in fewer."""
    if question.kv_bytes >= 2:
        return 0
    return question.context * max(layer_cache(layer.mixer, 1, 2.0).per_token for layer in question.shape.layers)


def _limits(question: Question, ranks: list[RankUse]) -> list[Limit]:
    worst = max(ranks, key=lambda rank: rank.short)
    if worst.short <= 0:
        return []
    card = card_of(question, worst.card)
    where = card_name(card)
    if worst.weights + worst.overhead > card.total_bytes:
        text = f"{gib(worst.weights)} of weights on {where}, which has {gib(card.total_bytes)}"
        return [Limit(kind="weights", text=text, short_bytes=worst.short_without_cache)]
    if worst.required <= card.total_bytes:
        text = f"{gib(card.free_now)} of {gib(card.total_bytes)} are free on {where}, {gib(worst.required)} needed"
        return [Limit(kind="free_memory", text=text, short_bytes=worst.short)]
    text = (
        f"{where}: {gib(worst.weights)} of weights, {gib(worst.kv_cache)} of cache for {question.context:,} tokens and"
        f" {gib(worst.activation + worst.overhead)} of buffers, {gib(card.free_now)} to be had"
    )
    return [Limit(kind="kv_cache", text=text, short_bytes=worst.short)]


def _assumptions(question: Question) -> tuple[str, ...]:
    said = []
    if question.max_model_len is None:
        said.append(f"a context of {question.context:,}, the model's own")
    if question.engine == "llamacpp":
        said.append("all layers on the GPUs, flash attention, steps of 512 tokens")
    if question.engine == "transformers":
        said.append("one prompt as long as the context")
    return tuple(said)


def is_exl(packing: Packing | None) -> bool:
    """Whether the weights are in one of ExLlama's own formats."""
    return packing is not None and packing.method.startswith("exl")
