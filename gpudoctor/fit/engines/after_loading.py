"""TGI and TensorRT-LLM: a share of what is free after loading and a trial prefill becomes the cache."""

from __future__ import annotations

from typing import Final

from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.engines.common import activation_width, card_of, gib, stage_cards
from gpudoctor.fit.kv import plain_cache
from gpudoctor.fit.prediction import Limit, Prediction, RankUse
from gpudoctor.fit.question import Question
from gpudoctor.fit.stages import layers_of, pipeline
from gpudoctor.fit.tensors import Split
from gpudoctor.fit.weights import Placement, rank_weights

_SHARE: Final = {"tgi": 0.95, "trtllm": 0.9}  # TGI_WIGGLE_ROOM; free_gpu_memory_fraction
_CONTEXT_GIB: Final = {"tgi": 0.5, "trtllm": 0.9}
_NCCL_GIB: Final = 0.35
_DEFAULT_CONTEXT: Final = 4096
_LEAST_PREFILL: Final = 4096
_LOGITS_BYTES: Final = 6  # of an entry of the vocabulary for each token of the trial prefill's last step
_MARGIN_GIB: Final = 1.0


def predict(question: Question) -> Prediction:
    """Memory of each rank. No public log shows all terms: the margin is wide."""
    context = min(question.max_model_len or _DEFAULT_CONTEXT, question.context)
    tokens = question.max_num_batched_tokens or max(context, _LEAST_PREFILL)
    peak = round(2 * tokens * activation_width(question) + _LOGITS_BYTES * 128 * question.shape.vocab)
    ranks: list[RankUse] = []
    capacity: list[int] = []
    classes = None
    per_token = 0
    for stage, span in enumerate(pipeline(question.shape.depth, question.pp)):
        held = rank_weights(question.shape, _placement(question, span, stage))
        cache = plain_cache(layers_of(question.shape, span), question.tp, question.kv_bytes)
        for offset, card in stage_cards(question, stage):
            overhead = _overhead(question, card)
            left = card.free_now - overhead - held.total - peak
            taken = round(max(left, 0) * _SHARE[question.engine]) if left > 0 else left
            ranks.append(
                RankUse(
                    rank=offset,
                    card=offset,
                    weights=held.total,
                    kv_cache=taken,
                    activation=peak,
                    overhead=overhead,
                    available=card.free_now - round(max(left, 0) * (1 - _SHARE[question.engine])),
                    kv_needed=cache.need(context),
                )
            )
            capacity.append(cache.capacity(taken))
        classes, per_token = held.classes, cache.per_token
    return Prediction(
        ranks=tuple(ranks),
        kv_tokens=min(capacity) * question.dp,
        limits=tuple(_limits(question, ranks, context)),
        margin=round(_MARGIN_GIB * GIB),
        classes=classes or {},
        kv_bytes_per_token=per_token,
        assumptions=(f"{context:,} tokens in all of one request, a trial prefill of {tokens:,}",),
    )


def _placement(question: Question, span: tuple[int, int], stage: int) -> Placement:
    return Placement(
        split=Split(question.tp, question.tp if question.expert_parallel else 1),
        layers=span,
        embedding=stage == 0,
        head=stage == question.pp - 1,
        packing=question.packing,
        plain_bytes=question.plain_bytes,
        measured_as="reserved",
    )


def _overhead(question: Question, card: Card) -> int:
    size = _CONTEXT_GIB[question.engine] + (_NCCL_GIB if question.tp * question.pp > 1 else 0)
    return round(size * GIB * (0.8 if card.total_gib < 40 else 1.0))


def _limits(question: Question, ranks: list[RankUse], context: int) -> list[Limit]:
    worst = max(ranks, key=lambda rank: rank.short)
    if worst.short <= 0:
        return []
    card = card_of(question, worst.card)
    if worst.weights + worst.overhead > card.total_bytes:
        text = f"{gib(worst.weights)} of weights on a GPU with {gib(card.total_bytes)}"
        return [Limit(kind="weights", text=text, short_bytes=worst.short_without_cache)]
    if worst.required <= card.total_bytes and card.used_by_others > worst.short:
        text = f"{gib(card.free_now)} of {gib(card.total_bytes)} are free, {gib(worst.required)} needed"
        return [Limit(kind="free_memory", text=text, short_bytes=worst.short)]
    text = (
        f"{gib(max(worst.kv_cache, 0))} left for the cache, {gib(worst.kv_needed)} needed for {context:,} tokens"
        if worst.kv_cache > 0
        else f"weights and the trial prefill leave nothing for the cache: {gib(-worst.kv_cache)} too much"
    )
    return [Limit(kind="kv_cache", text=text, short_bytes=worst.short)]
