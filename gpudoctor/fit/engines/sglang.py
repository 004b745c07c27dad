"""SGLang: after loading, what a fraction of the free memory leaves beside the weights becomes the token pool."""

from __future__ import annotations

from typing import Final

from gpudoctor.data.engines import sglang_era
from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.engines.common import card_name, card_of, gib, stage_cards
from gpudoctor.fit.kv import Cache, plain_cache
from gpudoctor.fit.prediction import Limit, Prediction, RankUse
from gpudoctor.fit.question import Question
from gpudoctor.fit.shape import LinearAttention, StateSpace
from gpudoctor.fit.stages import layers_of, pipeline
from gpudoctor.fit.tensors import Split
from gpudoctor.fit.weights import Placement, rank_weights

MIB: Final = 1 << 20
# Gone before weights are loaded, by logs: one H100 79.19 -> 78.6; eight H200 139.7 -> 137.9.
_CONTEXT_GIB: Final = 0.55
_NCCL_GIB: Final = {True: 1.25, False: 0.4}  # with custom all-reduce buffers; by NVLink
_TIERS: Final = (  # card's memory below (GiB), prefill chunk, largest CUDA graph batch for TP < 4 and from 4 on
    (20, 2048, 8, 8),
    (35, 2048, 24, 80),
    (60, 4096, 32, 160),
    (160, 8192, 256, 512),
    (1 << 20, 16384, 512, 512),
)
_LEAST_RESERVE: Final = 10 * 1024  # MiB, on cards above 60 GiB
_TOWER_SHARE: Final = 0.95  # of the fraction, where there is a vision tower
_WINDOWED_SHARE: Final = 0.8  # --swa-full-tokens-ratio
_STATE_SHARE: Final = 0.9 / 1.9  # of the pool, for states of hybrid models (--mamba-full-memory-ratio 0.9)
_MARGIN_GIB: Final = 1.0


def predict(question: Question) -> Prediction:
    """Memory of each rank.

    Source: server_args.py and model_runner.py of SGLang 0.3.6 to 0.5.23.
    """
    fraction = question.mem_fraction or default_fraction(question)
    ranks: list[RankUse] = []
    capacity: list[int] = []
    classes = None
    fullest = -1
    per_token = 0
    for stage, span in enumerate(pipeline(question.shape.depth, question.pp)):
        held = rank_weights(question.shape, _placement(question, span, stage))
        cache = plain_cache(layers_of(question.shape, span), question.tp, question.kv_bytes, block=1)
        for offset, card in stage_cards(question, stage):
            before = _free_before_loading(question, card)
            pool = round(before * fraction) - held.total
            tokens = pool_tokens(cache, pool)
            needed = cache.need(question.max_model_len or 1)
            ranks.append(
                RankUse(
                    rank=offset,
                    card=offset,
                    weights=held.total,
                    kv_cache=pool if tokens else min(pool, 0),
                    activation=round(before * (1 - fraction)),
                    overhead=card.total_bytes - before,
                    available=card.total_bytes,
                    kv_needed=needed,
                )
            )
            capacity.append(tokens)
        if held.total > fullest:
            fullest, classes, per_token = held.total, held.classes, cache.per_token
    return Prediction(
        ranks=tuple(ranks),
        kv_tokens=min(capacity) * question.dp,
        limits=tuple(_limits(question, ranks, min(capacity), fraction)),
        margin=round(_MARGIN_GIB * GIB + 0.01 * question.cards[0].total_bytes),
        classes=classes or {},
        kv_bytes_per_token=per_token,
        assumptions=_assumptions(question, fraction),
    )


def default_fraction(question: Question) -> float:
    """What `--mem-fraction-static` is by itself."""
    era = sglang_era(question.version)
    if era.fraction:
        sizes = (1, 2, 4, 8, 16)
        at = max(i for i, size in enumerate(sizes) if size <= question.tp)
        return era.fraction[min(at, len(era.fraction) - 1)]
    card = question.cards[0]
    memory = (card.driver_total_bytes or card.total_bytes) / MIB
    _, chunk, small, large = next(tier for tier in _TIERS if memory < tier[0] * 1024)
    reserve = 512 + chunk * 1.5 + 2 * (small if question.tp < 4 else large) + question.tp * question.pp * 128
    if memory > 60 * 1024:
        reserve = max(reserve, _LEAST_RESERVE)
    found = round((memory - reserve) / memory, 3)
    return found * _TOWER_SHARE if question.shape.tower else found


def pool_tokens(cache: Cache, pool: int) -> int:
    """Tokens of a pool of so many bytes."""
    if pool <= 0:
        return 0
    if cache.state and cache.per_token:
        pool = round(pool * (1 - _STATE_SHARE))
    cell = cache.per_token - round((1 - _WINDOWED_SHARE) * cache.windowed_per_token)
    if cache.windowed_per_token == cache.per_token:
        cell = cache.per_token
    return pool // cell if cell else cache.context


def _placement(question: Question, span: tuple[int, int], stage: int) -> Placement:
    return Placement(
        split=Split(question.tp, question.tp if question.expert_parallel else 1),
        layers=span,
        embedding=stage == 0,
        head=stage == question.pp - 1,
        packing=question.packing,
        plain_bytes=question.plain_bytes,
        rope_bytes=4.0,
        absorbed=True,
        zero_points=not (question.packing is not None and question.packing.method.startswith("gptq")),
        measured_as="reserved",
    )


def _free_before_loading(question: Question, card: Card) -> int:
    gone = _CONTEXT_GIB + (_NCCL_GIB[card.nvlink] if question.tp * question.pp > 1 else 0)
    if card.total_gib < 40:  # fewer kernels and smaller buffers on small cards
        gone *= 0.8
    return max(0, card.free_now - round(gone * GIB))


def _limits(question: Question, ranks: list[RankUse], tokens: int, fraction: float) -> list[Limit]:
    worst = max(ranks, key=lambda rank: rank.short)
    card = card_of(question, worst.card)
    if worst.weights > card.total_bytes - worst.overhead:
        text = f"{gib(worst.weights)} of weights on a GPU with {gib(card.total_bytes)}"
        return [Limit(kind="weights", text=text, short_bytes=worst.short_without_cache)]
    if worst.kv_cache <= 0:
        kind = "free_memory" if card.used_by_others > -worst.kv_cache else "weights"
        least = (worst.weights + GIB // 4) / max(1, card.total_bytes - worst.overhead)
        text = (
            f"a fraction of {fraction:g} of what is free on {card_name(card)} is less than {gib(worst.weights)} of"
            f" weights; the least is {least:.3f}"
        )
        return [Limit(kind="free_memory" if kind == "free_memory" else "weights", text=text, short_bytes=worst.short)]
    if question.max_model_len and tokens < question.max_model_len:
        text = f"the pool holds {tokens:,} tokens, {question.max_model_len:,} are asked for"
        return [Limit(kind="kv_cache", text=text, short_bytes=worst.short)]
    return []


def _assumptions(question: Question, fraction: float) -> tuple[str, ...]:
    said = []
    if question.version is None:
        said.append("the newest SGLang known (0.5)")
    if question.mem_fraction is None:
        said.append(f"--mem-fraction-static {fraction:.3g}, its default on this card")
    if any(isinstance(layer.mixer, (LinearAttention, StateSpace)) for layer in question.shape.layers):
        said.append("half of the pool for the states of the linear layers")
    return tuple(said)
